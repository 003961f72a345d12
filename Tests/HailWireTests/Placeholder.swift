// Tests of HailWire go here.
