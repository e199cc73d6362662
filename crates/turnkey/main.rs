//! `turnkey`.
fn main() {}
