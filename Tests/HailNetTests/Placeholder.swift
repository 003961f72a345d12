// Tests of HailNet go here.
