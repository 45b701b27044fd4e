//! Rows that Java printed: function, `V` or `E`, result, arguments, with tabs between.
//!
//! `testdata` holds some hundred. To check a large run of the generator, name its folder:
//! `RINGWAY_JAVA_ROWS=/tmp/java/rows cargo test java_rows -- --nocapture`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use num_bigint::BigInt;

use super::format::FormatArg;
use super::{JavaException, JavaRegex, big, chars, double, escape, format, integer, regex, text};

/// A result, or the exception's class and message.
type Outcome = Result<String, JavaException>;

fn unescape(field: &str) -> String {
    let mut plain = String::new();
    let mut rest = field.chars();
    while let Some(c) = rest.next() {
        plain.push(match c {
            '\\' => match rest.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('0') => '\0',
                other => other.unwrap_or('\\'),
            },
            c => c,
        });
    }
    plain
}

fn out(write: impl FnOnce(&mut String)) -> Outcome {
    let mut out = String::new();
    write(&mut out);
    Ok(out)
}

fn try_out(write: impl FnOnce(&mut String) -> Result<(), JavaException>) -> Outcome {
    let mut out = String::new();
    write(&mut out)?;
    Ok(out)
}

fn show(value: impl ToString) -> Outcome {
    Ok(value.to_string())
}

fn bits(hex: &str) -> f64 {
    f64::from_bits(u64::from_str_radix(hex, 16).expect("hexadecimal"))
}

fn number<T: std::str::FromStr>(field: &str) -> T {
    field.parse().unwrap_or_else(|_| panic!("not a number: {field}"))
}

fn unit(value: i32) -> u16 {
    value as u16
}

/// What this module makes of a row's function and arguments.
fn run(function: &str, args: &[String]) -> Outcome {
    let s = args[0].as_str();
    let arg = |index: usize| args[index].as_str();
    let int = |index: usize| number::<i32>(&args[index]);
    match function {
        "double" => out(|o| double::write_double(bits(s), o)),
        "float" => {
            let value = f32::from_bits(u32::from_str_radix(s, 16).expect("hexadecimal"));
            out(|o| double::write_float(value, o))
        }
        "parseDouble" => double::parse_double(s).map(|v| {
            let bits = if v.is_nan() { 0x7FF8_0000_0000_0000 } else { v.to_bits() };
            format!("{bits:x}")
        }),
        "parseFloat" => double::parse_float(s).map(|v| {
            let bits = if v.is_nan() { 0x7FC0_0000 } else { v.to_bits() };
            format!("{bits:x}")
        }),
        "doubleInt" => {
            let v = bits(s);
            let (int, long) = (double::to_int(v), double::to_long(v));
            show(format!("{int} {long} {} {}", double::hash_code(v), double::round(v)))
        }
        "doubleCompare" => show(double::compare(bits(s), bits(arg(1)))),
        "parseInt" => integer::parse_int(s, int(1)).map(|v| v.to_string()),
        "parseLong" => integer::parse_long(s, int(1)).map(|v| v.to_string()),
        "parseShort" => integer::parse_small(s, int(1), 16).map(|v| v.to_string()),
        "decodeInt" => integer::decode_int(s).map(|v| v.to_string()),
        "decodeLong" => integer::decode_long(s).map(|v| v.to_string()),
        "parseBig" => big::parse(s, int(1)).map(|v| v.to_string()),
        "longRadix" => out(|o| integer::write_long_radix(number(s), int(1), o)),
        "intBits" => {
            let v: i32 = number(s);
            out(|o| {
                integer::write_int_hex(v, o);
                o.push(' ');
                integer::write_int_octal(v, o);
                o.push(' ');
                integer::write_int_binary(v, o);
                let _ = write!(
                    o,
                    " {} {} {} {} {}",
                    integer::bit_count_int(v),
                    integer::signum(i64::from(v)),
                    integer::reverse_int(v),
                    integer::highest_one_bit_int(v),
                    integer::lowest_one_bit_int(v)
                );
            })
        }
        "longBits" => {
            let v: i64 = number(s);
            out(|o| {
                integer::write_long_hex(v, o);
                o.push(' ');
                integer::write_long_octal(v, o);
                o.push(' ');
                integer::write_long_binary(v, o);
                let _ = write!(
                    o,
                    " {} {} {} {} {} {}",
                    integer::bit_count_long(v),
                    integer::signum(v),
                    integer::reverse_long(v),
                    integer::highest_one_bit_long(v),
                    integer::lowest_one_bit_long(v),
                    integer::hash_code_long(v)
                );
            })
        }
        "big" => {
            let (a, b): (BigInt, BigInt) = (number(s), number(arg(1)));
            out(|o| {
                big::write_radix(&a, int(2), o);
                let _ = write!(o, " {} {} ", big::to_int(&a), big::to_long(&a));
                double::write_double(big::to_double(&a), o);
                let (hash, sign) = (big::hash_code(&a), big::signum(&a));
                let _ = write!(o, " {hash} {sign} {}", big::compare(&a, &b));
            })
        }
        "bigDivide" => {
            let (a, b): (BigInt, BigInt) = (number(s), number(arg(1)));
            Ok(format!("{} {}", big::divide(&a, &b)?, big::remainder(&a, &b)?))
        }
        "bigMod" => big::modulus(&number(s), &number(arg(1))).map(|v| v.to_string()),
        "length" => show(text::length(s)),
        "charAt" => text::char_at(s, int(1)).and_then(|v| out(|o| text::push_unit(v, o))),
        "codePointAt" => text::code_point_at(s, int(1)).map(|v| v.to_string()),
        "substring1" => try_out(|o| text::substring_from(s, int(1), o)),
        "substring2" => try_out(|o| text::substring(s, int(1), int(2), o)),
        "indexOf" => show(text::index_of(s, arg(1), int(2))),
        "lastIndexOf" => show(text::last_index_of(s, arg(1), int(2))),
        "indexOfChar" => show(text::index_of_char(s, int(1), int(2))),
        "lastIndexOfChar" => show(text::last_index_of_char(s, int(1), int(2))),
        "contains" => show(text::contains(s, arg(1))),
        "startsWith" => show(text::starts_with(s, arg(1), int(2))),
        "endsWith" => show(text::ends_with(s, arg(1))),
        "equalsIgnoreCase" => show(text::equals_ignore_case(s, arg(1))),
        "compareTo" => show(text::compare(s, arg(1))),
        "compareToIgnoreCase" => show(text::compare_ignore_case(s, arg(1))),
        "replaceChar" => {
            let old = arg(1).encode_utf16().next().expect("a character");
            out(|o| text::replace_char(s, old, unit(int(2)), o))
        }
        "replace" => out(|o| text::replace(s, arg(1), arg(2), o)),
        "toLowerCase" => out(|o| text::to_lower(s, o)),
        "toUpperCase" => out(|o| text::to_upper(s, o)),
        "trim" => show(format!(
            "[{}][{}][{}][{}]{}",
            text::trim(s),
            text::strip(s),
            text::strip_leading(s),
            text::strip_trailing(s),
            text::is_blank(s)
        )),
        "repeat" => try_out(|o| text::repeat(s, int(1), o)),
        "hashCode" => show(text::hash_code(s)),
        "regionMatches" => {
            show(text::region_matches(s, arg(1) == "true", int(2), arg(3), int(4), int(5)))
        }
        "escapeJavaScript" => out(|o| escape::escape_java_script(s, o)),
        "urlEncode" => out(|o| escape::url_encode(s, o)),
        "urlDecode" => try_out(|o| escape::url_decode(s, o)),
        "base64Encode" => out(|o| escape::base64_encode(s, o)),
        "base64Decode" => try_out(|o| escape::base64_decode(s, o)),
        "format" => {
            let bigs: Vec<BigInt> = args[1..]
                .iter()
                .map(|arg| arg.strip_prefix('g').map(number).unwrap_or_default())
                .collect();
            let args: Vec<FormatArg<'_>> =
                args[1..].iter().zip(&bigs).map(|(arg, big)| format_arg(arg, big)).collect();
            try_out(|o| format::format(s, &args, o))
        }
        "matches" => JavaRegex::compile(s)?.is_full_match(arg(1)).map(|v| v.to_string()),
        "replaceAll" => try_out(|o| JavaRegex::compile(s)?.replace_all(arg(1), arg(2), o)),
        "replaceFirst" => try_out(|o| JavaRegex::compile(s)?.replace_first(arg(1), arg(2), o)),
        "split" => {
            let mut pieces = Vec::new();
            JavaRegex::compile(s)?.split(arg(1), int(2), &mut pieces)?;
            let count = pieces.len();
            let pieces: Vec<&str> = pieces.into_iter().map(|range| &arg(1)[range]).collect();
            Ok(format!("{}\u{241E}{count}", pieces.join("\u{241F}")))
        }
        _ => panic!("no such function: {function}"),
    }
}

fn format_arg<'a>(field: &'a str, big: &'a BigInt) -> FormatArg<'a> {
    if field == "null" {
        return FormatArg::Null;
    }
    let (kind, value) = field.split_at(1);
    match kind {
        "b" => FormatArg::Bool(value == "true"),
        "c" => FormatArg::Char(number(value)),
        "i" => FormatArg::Int(number(value)),
        "l" => FormatArg::Long(number(value)),
        "g" => FormatArg::Big(big),
        "d" => FormatArg::Double(bits(value)),
        "s" => FormatArg::Str(value),
        _ => panic!("no such argument: {field}"),
    }
}

/// How a row came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Equal,
    /// Both throw the same class, with other words.
    Worded,
    Different,
}

fn judge(row: &str) -> (Verdict, String) {
    let fields: Vec<&str> = row.split('\t').collect();
    let args: Vec<String> = fields[3..].iter().map(|field| unescape(field)).collect();
    let want = unescape(fields[2]);
    let got = run(fields[0], &args);
    let verdict = match (fields[1], &got) {
        ("V", Ok(got)) if *got == want => Verdict::Equal,
        ("E", Err(error)) if error.to_string() == want => Verdict::Equal,
        ("E", Err(error)) if want.split(':').next() == Some(error.class) => Verdict::Worded,
        _ => Verdict::Different,
    };
    (verdict, format!("{} {args:?}: Java {want:?}, ours {got:?}", fields[0]))
}

#[test]
fn java_rows_of_the_repository_come_out_equal() {
    let rows = include_str!("testdata/rows.tsv");
    assert!(rows.lines().count() > 300);
    let known = include_str!("testdata/known.tsv");
    for (row, worst) in rows
        .lines()
        .map(|row| (row, Verdict::Worded))
        .chain(known.lines().map(|row| (row, Verdict::Different)))
        .filter(|(row, _)| !row.starts_with('#'))
    {
        let (verdict, story) = judge(row);
        assert!(verdict <= worst, "{story}");
        let stale = worst == Verdict::Different && verdict != Verdict::Different;
        assert!(!stale, "no longer different, move it: {story}");
    }
}

#[test]
fn java_rows_of_a_large_run_are_counted() {
    let Ok(folder) = std::env::var("RINGWAY_JAVA_ROWS") else {
        return;
    };
    let shown_max: usize =
        std::env::var("RINGWAY_JAVA_SHOW").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let mut counts: BTreeMap<String, BTreeMap<Verdict, usize>> = BTreeMap::new();
    let mut files: Vec<_> = fs::read_dir(folder).expect("a folder").flatten().collect();
    files.sort_by_key(|file| file.file_name());
    for file in files {
        let rows = fs::read(file.path()).expect("a file");
        let rows = String::from_utf8_lossy(&rows);
        if file.file_name() == "chars.tsv" {
            compare_chars(&rows);
            continue;
        }
        for row in rows.lines() {
            let (verdict, story) = judge(row);
            let function = row.split('\t').next().unwrap_or_default().to_owned();
            let counts = counts.entry(function).or_default();
            let count = counts.entry(verdict).or_default();
            *count += 1;
            if verdict != Verdict::Equal && *count <= shown_max {
                println!("{verdict:?} {story}");
            }
        }
    }
    for (function, counts) in counts {
        println!("{function}: {counts:?}");
    }
}

/// Every character's case, digit value and blankness, against a table that lists the eventful ones.
fn compare_chars(rows: &str) {
    let mut table = BTreeMap::new();
    for row in rows.lines() {
        let fields: Vec<&str> = row.split('\t').collect();
        let fields =
            if fields[0] == "9" { vec!["9", "9", "9", "\t", "\t", "-1", "true"] } else { fields };
        if fields.len() < 7 {
            continue; // a line break, printed as it is
        }
        let fields: Vec<String> = fields.into_iter().map(str::to_owned).collect();
        table.insert(number::<u32>(&fields[0]), fields);
    }
    let mut different = Vec::new();
    for c in '\0'..=char::MAX {
        let code = c as u32;
        if matches!(code, 0xA | 0xD) {
            continue;
        }
        let (mut upper, mut lower) = (String::new(), String::new());
        text::to_upper(c.encode_utf8(&mut [0; 4]), &mut upper);
        text::to_lower(c.encode_utf8(&mut [0; 4]), &mut lower);
        let digit = chars::digit(c, 36).map_or(-1, |digit| digit as i32);
        let ours = vec![
            code.to_string(),
            (chars::to_upper(c) as u32).to_string(),
            (chars::to_lower(c) as u32).to_string(),
            upper,
            lower,
            digit.to_string(),
            chars::is_whitespace(c).to_string(),
        ];
        let plain = vec![
            code.to_string(),
            code.to_string(),
            code.to_string(),
            c.to_string(),
            c.to_string(),
            "-1".to_owned(),
            "false".to_owned(),
        ];
        if *table.get(&code).unwrap_or(&plain) != ours {
            different.push(code);
            println!("char {code:X}: Java {:?}, ours {ours:?}", table.get(&code).unwrap_or(&plain));
        }
    }
    println!("{} characters differ", different.len());
}

#[test]
fn regex_bounds_end_a_match_that_would_take_forever() {
    let hostile = JavaRegex::compile("(a*)*\\1b").expect("a legal pattern");
    let error = hostile.find(&"a".repeat(40)).expect_err("a bound");
    assert_eq!(error.class, "StackOverflowError");
    assert!(error.message.contains(&regex::REGEX_BACKTRACK_STEPS_MAX.to_string()));
    // Quadratic in the `regex` crate, where every attempt reads to the end.
    let hostile = JavaRegex::compile("a[^b]*b|a").expect("a legal pattern");
    let mut out = String::from("kept");
    let error = hostile.replace_all(&"a".repeat(4_000_000), "", &mut out).expect_err("a bound");
    assert_eq!(error.class, "StackOverflowError");
    assert_eq!(out, "kept");
}

proptest::proptest! {
    #[test]
    fn nothing_panics_on_any_text(
        pattern in "\\PC{0,12}|[a-c(){}\\[\\]|*+?^$\\\\&<>=!:.\\-0-9ipQEubx]{0,16}",
        subject in "(?s).{0,24}",
        other in "[$\\\\{}0-9a-z]{0,6}|(?s).{0,4}",
        a in -3i32..30,
        b in -3i32..30,
        number: f64,
    ) {
        let mut out = String::new();
        if let Ok(regex) = JavaRegex::compile(&pattern) {
            let _ = regex.is_full_match(&subject);
            let _ = regex.replace_all(&subject, &other, &mut out);
            let _ = regex.split(&subject, a, &mut Vec::new());
        }
        let _ = text::substring(&subject, a, b, &mut out);
        let _ = text::substring_from(&subject, a, &mut out);
        let _ = text::char_at(&subject, a);
        let _ = text::code_point_at(&subject, a);
        let _ = text::index_of(&subject, &other, a);
        let _ = text::last_index_of(&subject, &other, a);
        let _ = text::starts_with(&subject, &other, a);
        let _ = text::region_matches(&subject, true, a, &other, b, a);
        let _ = (text::compare(&subject, &other), text::compare_ignore_case(&subject, &other));
        text::replace(&subject, &other, &pattern, &mut out);
        escape::escape_java_script(&subject, &mut out);
        let mut encoded = String::new();
        escape::url_encode(&subject, &mut encoded);
        let mut decoded = String::new();
        proptest::prop_assert!(escape::url_decode(&encoded, &mut decoded).is_ok());
        proptest::prop_assert_eq!(&decoded, &subject);
        let _ = escape::url_decode(&pattern, &mut out);
        let _ = escape::base64_decode(&subject, &mut out);
        let _ = integer::parse_int(&other, a);
        let _ = double::parse_double(&other);
        let args = [FormatArg::Double(number), FormatArg::Str(&subject), FormatArg::Int(a)];
        let _ = format::format(&pattern, &args, &mut out);
        let _ = format::format("%s %2$s %<S %3$08x %1$,.3f %1$e %1$g", &args, &mut out);
        let mut printed = String::new();
        double::write_double(number, &mut printed);
        let back = double::parse_double(&printed);
        proptest::prop_assert!(number.is_nan() || back == Ok(number));
    }
}
