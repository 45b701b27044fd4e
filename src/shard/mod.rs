//! One pinned thread per core.
