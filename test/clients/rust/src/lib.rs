//! Nothing: see tests.
