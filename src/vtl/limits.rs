//! Bounds of the template language.

/// A template, bytes. AWS quota "size of a mapping template".
pub const TEMPLATE_BYTES_MAX: usize = 300 * 1_024;
/// Blocks, expressions and strings within each other. Ours: keeps recursion off the end of the stack.
pub const NESTING_MAX: usize = 128;
/// Tokens the parser may take, those of ranges that were none included. Ours: bounds hostile nesting.
pub const PARSE_STEPS_MAX: usize = 4_000_000;
/// Iterations of one `#foreach` in API Gateway's dialect. AWS quota.
pub const FOREACH_ITERATIONS_MAX: u32 = 1_000;
/// Macros within macros. Velocity's `velocimacro.max.depth`.
pub const MACRO_DEPTH_MAX: u32 = 20;
/// `#define` within itself. Velocity's `directive.define.maxdepth`.
pub const DEFINE_DEPTH_MAX: u32 = 2;
/// `#evaluate`, blocks, strings and macros within each other while rendering. Ours: bounds the stack.
pub const CALL_DEPTH_MAX: u32 = 64;
/// Steps of one rendering. Ours: some 30 ns each, 100 ns at worst, so that a rendering holds its shard
/// for a tenth of a second at most, whatever the template says; large ordinary ones take ten thousand.
pub const FUEL: u64 = 1_000_000;
/// Bytes of output that cost one step.
pub const BYTES_PER_STEP: usize = 64;
/// What comes out, bytes. AWS quota "payload size".
pub const OUTPUT_BYTES_MAX: usize = 10 * 1_024 * 1_024;
/// Strings that one rendering builds, together, bytes.
pub const BUILT_BYTES_MAX: usize = 32 * 1_024 * 1_024;
/// Elements of one list or range, entries of one map.
pub const ELEMENTS_MAX: usize = 1_000_000;
/// Bits of one whole number.
pub const BIG_BITS_MAX: u64 = 65_536;
