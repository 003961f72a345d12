// Tests of HailAgent go here.
