// Tests of HailStore go here.
