//! From start to stop: owns every task, and the order in which things end.
