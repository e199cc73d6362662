//! The MuJoCo twin of the claw and its valve.
