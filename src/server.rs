//! The process: builds shards and the control thread.
