//! Tests of parsers.
