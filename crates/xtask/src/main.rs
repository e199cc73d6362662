//! Set-up, tests, experiments.
fn main() {}
