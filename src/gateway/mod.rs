//! The steps of a request.
