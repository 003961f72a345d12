// Tests of HailAggregate go here.
