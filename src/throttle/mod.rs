//! Lock-free token buckets.
