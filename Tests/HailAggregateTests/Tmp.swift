// Tests of HailAggregate.
