//! What a rendering did, for `ringway vtl --trace`.

/// Told about every reference, assignment and branch.
pub trait Tracer {
    /// A reference was printed; `None`: it was null.
    fn reference(&mut self, at: usize, value: Option<&str>);
    /// A variable was set.
    fn set(&mut self, at: usize, name: &str, value: &str);
    /// A condition was evaluated.
    fn branch(&mut self, at: usize, taken: bool);
}
