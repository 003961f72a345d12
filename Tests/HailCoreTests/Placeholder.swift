// Tests of HailCore go here.
