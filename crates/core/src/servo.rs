//! The pure servo model: what a Dynamixel does with a goal, a supply and a load.
