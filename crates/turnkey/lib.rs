//! The rig, the loops, the command line.
