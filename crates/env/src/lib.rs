//! Environment = Plant + Task: valve turning, resets, symmetries.
