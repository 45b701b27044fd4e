//! From a model to a compiled stage.
