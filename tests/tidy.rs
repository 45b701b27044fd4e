//! The rules of `docs/architecture.md` that a compiler does not check: a module imports from lower
//! layers only, `unsafe` stays in `src/ring`, and nothing is left unwritten.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules by layer, lowest first. Modules of one layer do not import each other.
const LAYERS: [&[&str]; 10] = [
    &["context", "limits", "memory", "time"],
    &["json"],
    &["auth", "http", "ring", "schema", "store", "telemetry", "throttle", "tls", "vtl"],
    &["model", "upstream", "usage"],
    &["deploy", "openapi"],
    &["control", "gateway"],
    &["config"],
    &["shard"],
    &["server"],
    &["cli"],
];

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

/// Every Rust file below `directory`, sorted.
fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let Ok(entries) = fs::read_dir(directory) else { return files };
    for entry in entries {
        let path = entry.expect("directory entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// A file's code: comments are gone and string literals are empty, lines stay where they are.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = raw_string_length(rest) {
            length
        } else if first == '"' {
            string_length(rest)
        } else if let Some(length) = character_length(rest) {
            length
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        code.extend(rest[..skipped].chars().filter(|&c| c == '\n'));
        rest = &rest[skipped..];
    }
    code
}

/// Length of the raw string literal `text` begins with, `r#"..."#`.
fn raw_string_length(text: &str) -> Option<usize> {
    let after = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = after.bytes().take_while(|&byte| byte == b'#').count();
    after[hashes..].strip_prefix('"')?;
    let begin = text.len() - after.len() + hashes + 1;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(text[begin..].find(&end).map_or(text.len(), |at| begin + at + end.len()))
}

/// Length of the string literal `text` begins with.
fn string_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(text.len())
}

/// Length of the character literal `text` begins with; lifetimes are none.
fn character_length(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('\'')?;
    if inner.starts_with('\\') {
        return inner[2..].find('\'').map(|end| end + 4);
    }
    let first = inner.chars().next()?;
    inner[first.len_utf8()..].starts_with('\'').then(|| first.len_utf8() + 2)
}

/// The crate's own modules that `code` names after `crate::`, with their lines.
fn imports(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let line = code[..at].matches('\n').count() + 1;
        let path = &code[at + "crate::".len()..];
        if let Some(group) = path.strip_prefix('{') {
            let (mut depth, mut first_of_entry) = (0_u32, true);
            let mut word = String::new();
            for c in group.chars() {
                if depth == 0 && first_of_entry && (c.is_alphanumeric() || c == '_') {
                    word.push(c);
                    continue;
                }
                if !word.is_empty() {
                    found.push((line, std::mem::take(&mut word)));
                    first_of_entry = false;
                }
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => first_of_entry = true,
                    _ => {}
                }
            }
        } else {
            let word = path.chars().take_while(|&c| c.is_alphanumeric() || c == '_').collect();
            found.push((line, word));
        }
    }
    found
}

/// Does `code` have `word` standing alone?
fn has_word(code: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        !code[..at].chars().next_back().is_some_and(part_of_word)
            && !code[at + word.len()..].chars().next().is_some_and(part_of_word)
    })
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Top module of a file below `src`: `src/http/head.rs` and `src/http.rs` are `http`.
fn module_of(file: &Path) -> String {
    let inside = file.strip_prefix(root().join("src")).expect("a file below src");
    let first = inside.iter().next().expect("a file has a name").to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

#[test]
fn modules_import_from_lower_layers_only() {
    let mut wrong = Vec::new();
    for file in rust_files(&root().join("src")) {
        let module = module_of(&file);
        if module == "lib" || module == "main" {
            continue;
        }
        let layer = layer_of(&module)
            .unwrap_or_else(|| panic!("{module} has no layer: give it one in tests/tidy.rs"));
        let code = code_of(&fs::read_to_string(&file).expect("source file"));
        for (line, import) in imports(&code) {
            // What has no layer is no module: a macro or an item of the crate's root.
            let Some(other) = layer_of(&import) else { continue };
            if import != module && other >= layer {
                wrong.push(format!("{}:{line}: {module} imports {import}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "imports that point upward or sideways:\n{}", wrong.join("\n"));
}

#[test]
fn every_module_of_the_crate_has_a_layer() {
    let code = code_of(&fs::read_to_string(root().join("src/lib.rs")).expect("lib.rs"));
    for line in code.lines() {
        if let Some(module) = line.trim().strip_prefix("pub mod ") {
            let module = module.trim_end_matches(';');
            assert!(layer_of(module).is_some(), "{module} has no layer");
        }
    }
}

#[test]
fn unsafe_code_stays_in_the_ring() {
    let mut wrong = Vec::new();
    for file in rust_files(&root().join("src")) {
        if module_of(&file) == "ring" {
            continue;
        }
        let code = code_of(&fs::read_to_string(&file).expect("source file"));
        for (index, line) in code.lines().enumerate() {
            let lifts_the_lint =
                line.contains("allow(unsafe_code") || line.contains("expect(unsafe_code");
            if has_word(line, "unsafe") || lifts_the_lint {
                wrong.push(format!("{}:{}: {}", file.display(), index + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "unsafe code outside src/ring:\n{}", wrong.join("\n"));
}

#[test]
fn nothing_is_left_unwritten() {
    let mut wrong = Vec::new();
    for directory in ["src", "tests", "benches"] {
        for file in rust_files(&root().join(directory)) {
            let code = code_of(&fs::read_to_string(&file).expect("source file"));
            for (index, line) in code.lines().enumerate() {
                if ["todo!", "unimplemented!", "dbg!"].iter().any(|mark| line.contains(mark)) {
                    wrong.push(format!("{}:{}: {}", file.display(), index + 1, line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "left unwritten:\n{}", wrong.join("\n"));
}

#[test]
fn tidy_reads_code_and_not_text() {
    let text = "use crate::{\n    http::{self, Span},\n    model,\n};\n// unsafe crate::shard\nlet s = \"unsafe \\\" crate::shard\"; let c = '\"'; fn f<'a>() { crate::ring::op() } r#\"unsafe \"#";
    let code = code_of(text);
    assert!(!has_word(&code, "unsafe"), "{code}");
    let found: Vec<(usize, String)> = imports(&code);
    let want = [(1, "http"), (1, "model"), (6, "ring")];
    assert_eq!(found, want.map(|(line, module)| (line, module.to_owned())));
    assert!(has_word("unsafe {", "unsafe") && !has_word("unsafe_code", "unsafe"));
}
