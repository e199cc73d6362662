//! Live view and recordings through rerun, bounded and never blocking.
