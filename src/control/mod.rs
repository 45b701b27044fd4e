//! The control thread: admin port, log writer, name resolution.
