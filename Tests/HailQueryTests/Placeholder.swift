// Tests of HailQuery go here.
