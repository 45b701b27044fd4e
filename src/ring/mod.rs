//! io_uring: the only unsafe code.
