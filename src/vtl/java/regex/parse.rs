//! Java's pattern grammar, as its parser takes it, accidents included.
//!
//! Quotations go first (they are textual in Java too), then one pass builds the tree. Flags are
//! resolved on the way: a node says itself which case or line rule it follows.

use super::super::JavaException;
use super::ast::{Case, Greed, Node, Place, Set};
use super::property;

/// Nesting of groups and classes. Ours: Java's parser would overflow its stack somewhere.
pub const REGEX_DEPTH_MAX: usize = 100;

/// A parsed pattern.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) node: Node,
    /// Capturing groups, the whole match not counted.
    pub(super) group_count: usize,
    /// Named groups and their numbers.
    pub(super) names: Vec<(String, usize)>,
}

/// Parses `pattern`.
///
/// # Errors
/// `PatternSyntaxException`, where Java has it.
pub(super) fn parse(pattern: &str) -> Result<Parsed, JavaException> {
    let mut parser = Parser {
        pattern,
        chars: unquote(pattern),
        at: 0,
        flags: Flags::default(),
        group_count: 0,
        names: Vec::new(),
        depth: 0,
    };
    let node = parser.alternatives()?;
    if parser.at < parser.chars.len() {
        return Err(parser.error("Unmatched closing ')'"));
    }
    Ok(Parsed { node, group_count: parser.group_count, names: parser.names })
}

/// Replaces `\Q…\E` by escapes. A backslash that is itself escaped starts no quotation.
fn unquote(pattern: &str) -> Vec<char> {
    let mut chars = Vec::with_capacity(pattern.len());
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            chars.push(c);
            continue;
        }
        match rest.next() {
            Some('Q') => {
                let quoted = rest.as_str();
                let (inner, tail) = quoted.split_once("\\E").unwrap_or((quoted, ""));
                for c in inner.chars() {
                    if c.is_ascii() {
                        // As a hexadecimal escape, it is safe behind whatever stands before.
                        chars.extend(['\\', 'x']);
                        let digit = |value| char::from_digit(value, 16).unwrap_or('0');
                        chars.extend([digit(c as u32 >> 4), digit(c as u32 & 15)]);
                    } else {
                        chars.push(c);
                    }
                }
                rest = tail.chars();
            }
            Some(escaped) => chars.extend(['\\', escaped]),
            None => chars.push('\\'),
        }
    }
    chars
}

#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    case_insensitive: bool,
    multi_line: bool,
    dot_all: bool,
    unix_lines: bool,
    unicode_case: bool,
    comments: bool,
    unicode_classes: bool,
}

/// What follows a backslash.
enum Escape {
    Char(u32),
    Set(Set),
    Node(Node),
}

struct Parser<'a> {
    pattern: &'a str,
    chars: Vec<char>,
    at: usize,
    flags: Flags,
    group_count: usize,
    names: Vec<(String, usize)>,
    depth: usize,
}

type Parse<T> = Result<T, JavaException>;

impl Parser<'_> {
    #[cold]
    fn error(&self, description: impl Into<String>) -> JavaException {
        let mut message = description.into();
        let index = self.at.saturating_sub(1);
        message.push_str(&format!(" near index {index}\n{}", self.pattern));
        if index < self.pattern.encode_utf16().count() {
            message.push('\n');
            message.extend(std::iter::repeat_n(' ', index));
            message.push('^');
        }
        JavaException::new("PatternSyntaxException", message)
    }

    /// Passes blanks and comments under `(?x)`.
    fn skip_comments(&mut self) {
        if !self.flags.comments {
            return;
        }
        while let Some(&c) = self.chars.get(self.at) {
            if matches!(c, '\t'..='\r' | ' ') {
                self.at += 1;
            } else if c == '#' {
                let unix = self.flags.unix_lines;
                let ends = |c: char| c == '\n' || (!unix && is_line_terminator(c));
                while self.chars.get(self.at).is_some_and(|&c| !ends(c)) {
                    self.at += 1;
                }
            } else {
                return;
            }
        }
    }

    fn peek(&mut self) -> Option<char> {
        self.skip_comments();
        self.chars.get(self.at).copied()
    }

    /// Passes the current character; the next one is returned as [`Self::peek`] has it.
    fn next(&mut self) -> Option<char> {
        self.at += 1;
        self.peek()
    }

    /// The current character as it stands, and passes it.
    fn take(&mut self) -> Option<char> {
        let c = self.chars.get(self.at).copied();
        self.at += 1;
        c
    }

    fn raw(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.depth >= REGEX_DEPTH_MAX {
            return Err(self.error(format!("Nested deeper than {REGEX_DEPTH_MAX}")));
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    fn case(&self) -> Case {
        match (self.flags.case_insensitive, self.flags.unicode_case) {
            (false, _) => Case::Exact,
            (true, false) => Case::Ascii,
            (true, true) => Case::Unicode,
        }
    }

    fn alternatives(&mut self) -> Parse<Node> {
        let mut branches = vec![self.sequence()?];
        while self.peek() == Some('|') {
            self.at += 1;
            branches.push(self.sequence()?);
        }
        Ok(match branches.pop() {
            Some(only) if branches.is_empty() => only,
            last => {
                branches.extend(last);
                Node::Alternatives(branches)
            }
        })
    }

    fn sequence(&mut self) -> Parse<Node> {
        let mut nodes = Vec::new();
        while let Some(c) = self.peek() {
            let atom = match c {
                '|' | ')' => break,
                '(' => match self.deeper(Self::group)? {
                    Some(node) => node,
                    None => continue, // flags, which take no quantifier
                },
                '[' => {
                    self.at += 1;
                    let set = self.deeper(|parser| parser.class(true))?;
                    Node::Set(set, self.case())
                }
                '\\' => self.escaped_atom()?,
                '^' => {
                    self.at += 1;
                    let unix = self.flags.unix_lines;
                    Node::Place(if self.flags.multi_line {
                        Place::LineStart { unix }
                    } else {
                        Place::TextStart
                    })
                }
                '$' => {
                    self.at += 1;
                    let unix = self.flags.unix_lines;
                    Node::Place(if self.flags.multi_line {
                        Place::LineEnd { unix }
                    } else {
                        Place::FinalLineEnd { unix }
                    })
                }
                '.' => {
                    self.at += 1;
                    Node::Set(self.dot(), Case::Exact)
                }
                '*' | '+' | '?' => {
                    self.at += 1;
                    return Err(self.error(format!("Dangling meta character '{c}'")));
                }
                // Java reads an empty text here and repeats it, if digits follow.
                '{' => Node::Empty,
                c => {
                    self.at += 1;
                    Node::Char(c, self.case())
                }
            };
            nodes.push(self.quantified(atom)?);
        }
        Ok(match nodes.pop() {
            None => Node::Empty,
            Some(only) if nodes.is_empty() => only,
            last => {
                nodes.extend(last);
                Node::Concat(nodes)
            }
        })
    }

    fn dot(&self) -> Set {
        if self.flags.dot_all {
            Set::of(&[('\0', char::MAX)])
        } else if self.flags.unix_lines {
            Set::of(&[('\n', '\n')]).not()
        } else {
            line_terminators().not()
        }
    }

    /// An atom that starts with a backslash.
    fn escaped_atom(&mut self) -> Parse<Node> {
        self.at += 1;
        Ok(match self.escape(false, false)? {
            Escape::Char(code) => match char::from_u32(code) {
                Some(c) => Node::Char(c, self.case()),
                None => Node::Set(Set::empty(), Case::Exact),
            },
            Escape::Set(set) => Node::Set(set, Case::Exact),
            Escape::Node(node) => node,
        })
    }

    /// Reads what follows a backslash, which is passed.
    ///
    /// `in_class` leaves characters and sets; `starts_range` is Java's rule for `\v-`.
    fn escape(&mut self, in_class: bool, starts_range: bool) -> Parse<Escape> {
        let unicode = self.flags.unicode_classes;
        let Some(c) = self.take() else {
            return Err(self.error("Unexpected internal error"));
        };
        let place = |place| Escape::Node(Node::Place(place));
        Ok(match c {
            'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'h' | 'H' | 'V' => {
                let set = predefined(c.to_ascii_lowercase(), unicode);
                Escape::Set(if c.is_ascii_uppercase() { set.not() } else { set })
            }
            'v' if starts_range => Escape::Char(0x0B),
            'v' => Escape::Set(predefined('v', unicode)),
            'p' | 'P' => {
                let set = self.property()?;
                Escape::Set(if c == 'P' { set.not() } else { set })
            }
            '0' => Escape::Char(self.octal()?),
            'x' => Escape::Char(self.hexadecimal()?),
            'u' => Escape::Char(self.unicode()?),
            'c' => match self.take() {
                Some(c) => Escape::Char(c as u32 ^ 64),
                None => return Err(self.error("Illegal control escape sequence")),
            },
            'a' => Escape::Char(0x07),
            'e' => Escape::Char(0x1B),
            'f' => Escape::Char(0x0C),
            'n' => Escape::Char(0x0A),
            'r' => Escape::Char(0x0D),
            't' => Escape::Char(0x09),
            'A' if !in_class => place(Place::TextStart),
            'z' if !in_class => place(Place::TextEnd),
            'Z' if !in_class => place(Place::FinalLineEnd { unix: self.flags.unix_lines }),
            'G' if !in_class => place(Place::PreviousEnd),
            'B' if !in_class => place(Place::NotWordBoundary),
            // `\b{g}`, the boundary of what a reader takes for a character, is not supported.
            'b' if !in_class && (self.raw(0), self.raw(1)) != (Some('{'), Some('g')) => {
                place(Place::WordBoundary)
            }
            'R' if !in_class => Escape::Node(Node::LineBreak),
            'k' if !in_class => Escape::Node(self.named_reference()?),
            '1'..='9' if !in_class => Escape::Node(self.numbered_reference(c)),
            'a'..='z' | 'A'..='Z' | '1'..='9' => {
                return Err(self.error("Illegal/unsupported escape sequence"));
            }
            c => Escape::Char(c as u32),
        })
    }

    /// `\0n`, `\0nn` or `\0mnn` with m at most 3.
    fn octal(&mut self) -> Parse<u32> {
        let digit = |parser: &Self, ahead| parser.raw(ahead).and_then(|c: char| c.to_digit(8));
        let Some(mut value) = digit(self, 0) else {
            self.at += 1;
            return Err(self.error("Illegal octal escape sequence"));
        };
        let digits_max = if value <= 3 { 3 } else { 2 };
        self.at += 1;
        for _ in 1..digits_max {
            match digit(self, 0) {
                Some(digit) => value = value * 8 + digit,
                None => break,
            }
            self.at += 1;
        }
        Ok(value)
    }

    /// `\xhh` or `\x{h…h}`.
    fn hexadecimal(&mut self) -> Parse<u32> {
        let illegal = "Illegal hexadecimal escape sequence";
        if self.raw(0) == Some('{') {
            self.at += 1;
            let mut value = 0u32;
            let mut count = 0;
            while let Some(digit) = self.raw(0).and_then(|c| c.to_digit(16)) {
                value = value << 4 | digit;
                count += 1;
                self.at += 1;
                if value > 0x10_FFFF {
                    return Err(self.error("Hexadecimal codepoint is too big"));
                }
            }
            if count == 0 {
                return Err(self.error(illegal));
            }
            if self.take() != Some('}') {
                return Err(self.error("Unclosed hexadecimal escape sequence"));
            }
            return Ok(value);
        }
        match self.digits(2) {
            Some(value) => Ok(value),
            None => Err(self.error(illegal)),
        }
    }

    /// Exactly `count` hexadecimal digits.
    fn digits(&mut self, count: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            value = value << 4 | self.raw(0)?.to_digit(16)?;
            self.at += 1;
        }
        Some(value)
    }

    /// `\uhhhh`; two that make a pair are one character.
    fn unicode(&mut self) -> Parse<u32> {
        let Some(value) = self.digits(4) else {
            return Err(self.error("Illegal Unicode escape sequence"));
        };
        if (0xD800..0xDC00).contains(&value)
            && self.raw(0) == Some('\\')
            && self.raw(1) == Some('u')
        {
            let back = self.at;
            self.at += 2;
            match self.digits(4) {
                Some(low @ 0xDC00..=0xDFFF) => {
                    return Ok(0x1_0000 + ((value - 0xD800) << 10) + (low - 0xDC00));
                }
                Some(_) => self.at = back,
                None => return Err(self.error("Illegal Unicode escape sequence")),
            }
        }
        Ok(value)
    }

    /// The name after `\p`, in braces or one letter.
    fn property(&mut self) -> Parse<Set> {
        let Some(first) = self.peek() else {
            return Err(self.error("Unexpected internal error"));
        };
        self.at += 1;
        let mut name = String::from(first);
        if first == '{' {
            name.clear();
            loop {
                match self.take() {
                    Some('}') => break,
                    Some(c) => name.push(c),
                    None => return Err(self.error("Unclosed character family")),
                }
            }
            if name.is_empty() {
                return Err(self.error("Empty character family"));
            }
        }
        self.named_set(&name)
    }

    fn named_set(&self, name: &str) -> Parse<Set> {
        let unicode = self.flags.unicode_classes;
        if let Some((key, value)) = name.split_once('=') {
            let set = match key.to_ascii_lowercase().as_str() {
                "sc" | "script" => property::script(value),
                "blk" | "block" => property::block(value),
                "gc" | "general_category" => property::category(value),
                _ => None,
            };
            return match set {
                Some(set) if self.flags.case_insensitive => Ok(property::caseless(set)),
                Some(set) => Ok(set),
                None => {
                    let pair = format!("name=<{key}>, value=<{value}>");
                    Err(self.error(format!("Unknown Unicode property {{{pair}}}")))
                }
            };
        }
        let set = if let Some(block) = name.strip_prefix("In") {
            property::block(block)
        } else if let Some(name) = name.strip_prefix("Is") {
            property::binary(name)
                .or_else(|| property::category(name))
                .or_else(|| property::posix(name, true))
                .or_else(|| property::script(name))
        } else {
            property::posix(name, unicode)
                .or_else(|| property::posix(name, false))
                .or_else(|| property::java(name))
                .or_else(|| property::category(name))
        };
        match set {
            Some(set) if self.flags.case_insensitive => Ok(property::caseless(set)),
            Some(set) => Ok(set),
            None => Err(self.error(format!("Unknown character property name {{{name}}}"))),
        }
    }

    /// `\k<name>`; the group has to stand before it.
    fn named_reference(&mut self) -> Parse<Node> {
        if self.take() != Some('<') {
            return Err(self.error("\\k is not followed by '<' for named capturing group"));
        }
        let name = self.group_name()?;
        match self.names.iter().find(|(known, _)| *known == name) {
            Some(&(_, number)) => Ok(Node::BackReference(number, self.case())),
            None => Err(self.error(format!("named capturing group <{name}> does not exist"))),
        }
    }

    /// `\1`; more digits belong to it while there are that many groups.
    fn numbered_reference(&mut self, first: char) -> Node {
        let mut number = first as usize - '0' as usize;
        while let Some(digit) = self.raw(0).and_then(|c| c.to_digit(10)) {
            let longer = number * 10 + digit as usize;
            if longer > self.group_count {
                break;
            }
            number = longer;
            self.at += 1;
        }
        Node::BackReference(number, self.case())
    }

    fn group_name(&mut self) -> Parse<String> {
        let mut name = String::new();
        while let Some(c) = self.raw(0).filter(char::is_ascii_alphanumeric) {
            if name.is_empty() && c.is_ascii_digit() {
                break;
            }
            name.push(c);
            self.at += 1;
        }
        if name.is_empty() {
            self.at += 1;
            return Err(self.error("capturing group name does not start with a Latin letter"));
        }
        if self.take() != Some('>') {
            return Err(self.error("named capturing group is missing trailing '>'"));
        }
        Ok(name)
    }

    /// A parenthesis and what it encloses; nothing for flags like `(?i)`.
    fn group(&mut self) -> Parse<Option<Node>> {
        let outer = self.flags;
        let mut wrap: Box<dyn FnOnce(Node) -> Node> =
            Box::new(|node| Node::Group(None, node.into()));
        if self.next() == Some('?') {
            self.at += 1;
            let look = |ahead, negated| -> Box<dyn FnOnce(Node) -> Node> {
                Box::new(move |node| Node::Look { ahead, negated, node: node.into() })
            };
            match self.take() {
                Some(':') => {}
                Some('=') => wrap = look(true, false),
                Some('!') => wrap = look(true, true),
                Some('>') => wrap = Box::new(|node| Node::Atomic(node.into())),
                Some('<') => match self.raw(0) {
                    Some('=') => {
                        self.at += 1;
                        wrap = look(false, false);
                    }
                    Some('!') => {
                        self.at += 1;
                        wrap = look(false, true);
                    }
                    _ => {
                        let name = self.group_name()?;
                        if self.names.iter().any(|(known, _)| *known == name) {
                            let message =
                                format!("Named capturing group <{name}> is already defined");
                            return Err(self.error(message));
                        }
                        self.group_count += 1;
                        let number = self.group_count;
                        self.names.push((name, number));
                        wrap = Box::new(move |node| Node::Group(Some(number), node.into()));
                    }
                },
                Some('$' | '@') => return Err(self.error("Unknown group type")),
                _ => {
                    self.at -= 1;
                    self.inline_flags();
                    match self.take() {
                        Some(')') => return Ok(None),
                        Some(':') => {}
                        _ => return Err(self.error("Unknown inline modifier")),
                    }
                }
            }
        } else {
            self.group_count += 1;
            let number = self.group_count;
            wrap = Box::new(move |node| Node::Group(Some(number), node.into()));
        }
        let node = self.alternatives()?;
        if self.peek() != Some(')') {
            self.at += 1;
            return Err(self.error("Unclosed group"));
        }
        self.at += 1;
        self.flags = outer;
        let node = wrap(node);
        if let Node::Look { ahead: false, node: inner, .. } = &node
            && !inner.study().bounded
        {
            return Err(self.error("Look-behind group does not have an obvious maximum length"));
        }
        Ok(Some(node))
    }

    fn inline_flags(&mut self) {
        let mut on = true;
        while let Some(c) = self.peek() {
            let flags = &mut self.flags;
            match c {
                'i' => flags.case_insensitive = on,
                'm' => flags.multi_line = on,
                's' => flags.dot_all = on,
                'd' => flags.unix_lines = on,
                'u' => flags.unicode_case = on,
                'x' => flags.comments = on,
                'c' => {} // canonical equivalence is not supported, nor is it asked for
                'U' => {
                    flags.unicode_classes = on;
                    flags.unicode_case = on;
                }
                '-' if on => on = false,
                _ => return,
            }
            self.at += 1;
        }
    }

    /// `atom` with the quantifier that follows it, if one does.
    fn quantified(&mut self, atom: Node) -> Parse<Node> {
        let (min, max) = match self.peek() {
            Some('?') => (0, Some(1)),
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('{') => return self.counted(atom),
            _ => return Ok(atom),
        };
        self.at += 1;
        Ok(self.repeat(atom, min, max))
    }

    fn counted(&mut self, atom: Node) -> Parse<Node> {
        if !self.raw(1).is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
            return Err(self.error("Illegal repetition"));
        }
        self.at += 1;
        let min = self.count()?;
        let mut max = Some(min);
        if self.raw(0) == Some(',') {
            self.at += 1;
            max = None;
            if self.raw(0) != Some('}') {
                max = Some(self.count()?);
            }
        }
        if self.raw(0) != Some('}') {
            self.at += 1;
            return Err(self.error("Unclosed counted closure"));
        }
        if max.is_some_and(|max| max < min) {
            return Err(self.error("Illegal repetition range"));
        }
        self.at += 1;
        Ok(self.repeat(atom, min, max))
    }

    /// Digits, perhaps none, which is zero.
    fn count(&mut self) -> Parse<u32> {
        let mut value = 0i32;
        while let Some(digit) = self.raw(0).and_then(|c| c.to_digit(10)) {
            match value.checked_mul(10).and_then(|value| value.checked_add(digit as i32)) {
                Some(longer) => value = longer,
                None => return Err(self.error("Illegal repetition range")),
            }
            self.at += 1;
        }
        Ok(value as u32)
    }

    fn repeat(&mut self, node: Node, min: u32, max: Option<u32>) -> Node {
        let greed = match self.peek() {
            Some('?') => Greed::Lazy,
            Some('+') => Greed::Possessive,
            _ => Greed::Greedy,
        };
        if greed != Greed::Greedy {
            self.at += 1;
        }
        Node::Repeat { node: Box::new(node), min, max, greed }
    }

    /// A class after its `[`, up to its `]`, which is passed if `consume`.
    ///
    /// The right side of `&&` is such a class without a bracket of its own, so it ends at the same
    /// `]`, and further `&&` belong to it.
    fn class(&mut self, consume: bool) -> Parse<Set> {
        let mut set: Option<Set> = None; // without the characters in `bits`
        let mut bits: Option<Set> = None; // what Java keeps in a bit set, joined late
        let mut negated = false;
        let add = |set: &mut Option<Set>, more: Set| {
            *set = Some(match set.take() {
                Some(set) => set.or(more),
                None => more,
            });
        };
        let opening = self.at;
        loop {
            let Some(c) = self.peek() else {
                return Err(self.error("Unclosed character class"));
            };
            match c {
                '^' if consume && self.at == opening && !negated => {
                    negated = true;
                    self.at += 1;
                    continue;
                }
                '[' => {
                    self.at += 1;
                    let inner = self.deeper(|parser| parser.class(true))?;
                    add(&mut set, inner);
                    continue;
                }
                '&' if self.raw(1) == Some('&') => {
                    self.at += 2;
                    let mut right: Option<Set> = None;
                    while let Some(c) = self.peek().filter(|&c| c != ']' && c != '&') {
                        if c == '[' {
                            self.at += 1;
                            let inner = self.deeper(|parser| parser.class(true))?;
                            add(&mut right, inner);
                        } else {
                            let inner = self.deeper(|parser| parser.class(false))?;
                            add(&mut right, inner);
                        }
                    }
                    if let Some(bits) = bits.take() {
                        add(&mut set, bits);
                    }
                    set = Some(match (set, right) {
                        (Some(set), Some(right)) => set.and(right),
                        (Some(set), None) => set,
                        (None, Some(right)) => right,
                        (None, None) => return Err(self.error("Bad class syntax")),
                    });
                    continue;
                }
                ']' if set.is_some() || bits.is_some() => {
                    if consume {
                        self.at += 1;
                    }
                    if let Some(bits) = bits {
                        add(&mut set, bits);
                    }
                    let set = set.unwrap_or_else(Set::empty);
                    return Ok(if negated { set.not() } else { set });
                }
                _ => {}
            }
            let (range, single) = self.class_item()?;
            add(if single { &mut bits } else { &mut set }, range);
        }
    }

    /// One character, escape or range of a class, and whether Java keeps it apart as a single one.
    fn class_item(&mut self) -> Parse<(Set, bool)> {
        let low = match self.peek() {
            Some('\\') => {
                let starts_range = self.raw(2) == Some('-');
                self.at += 1;
                match self.escape(true, starts_range)? {
                    Escape::Char(code) => code,
                    Escape::Set(set) => return Ok((set, false)),
                    Escape::Node(_) => unreachable!("not in a class"),
                }
            }
            Some(c) => {
                self.at += 1;
                c as u32
            }
            None => return Err(self.error("Unclosed character class")),
        };
        if self.peek() != Some('-') || matches!(self.raw(1), Some('[' | ']')) {
            let latin = low < 0x100;
            return Ok((self.folded(low, low), latin));
        }
        let high = match self.next() {
            Some('\\') => {
                self.at += 1;
                match self.escape(true, true)? {
                    Escape::Char(code) => code,
                    Escape::Set(_) | Escape::Node(_) => {
                        return Err(self.error("Illegal character range"));
                    }
                }
            }
            Some(c) => {
                self.at += 1;
                c as u32
            }
            None => return Err(self.error("Unclosed character class")),
        };
        if high < low {
            return Err(self.error("Illegal character range"));
        }
        Ok((self.folded(low, high), false))
    }

    /// A range with the other case of its ASCII letters, if case is ignored.
    fn folded(&self, low: u32, high: u32) -> Set {
        let mut ranges = vec![(low, high)];
        if self.flags.case_insensitive {
            for (first, last, other) in [('A', 'Z', 'a'), ('a', 'z', 'A')] {
                let (first, last, other) = (first as u32, last as u32, other as u32);
                if low <= last && high >= first {
                    let from = low.max(first) - first + other;
                    let to = high.min(last) - first + other;
                    ranges.push((from, to));
                }
            }
        }
        Set::Ranges(ranges)
    }
}

fn is_line_terminator(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn line_terminators() -> Set {
    Set::of(&[('\n', '\n'), ('\r', '\r'), ('\u{85}', '\u{85}'), ('\u{2028}', '\u{2029}')])
}

/// `\d`, `\w`, `\s`, `\h`, `\v`.
fn predefined(letter: char, unicode: bool) -> Set {
    match (letter, unicode) {
        ('d', false) => Set::of(&[('0', '9')]),
        ('d', true) => Set::property("Nd"),
        ('w', false) => Set::of(&[('a', 'z'), ('A', 'Z'), ('_', '_'), ('0', '9')]),
        ('w', true) => property::word(),
        ('s', false) => Set::of(&[('\t', '\r'), (' ', ' ')]),
        ('s', true) => Set::property("White_Space"),
        ('h', _) => Set::of(&[
            (' ', ' '),
            ('\t', '\t'),
            ('\u{A0}', '\u{A0}'),
            ('\u{1680}', '\u{1680}'),
            ('\u{180E}', '\u{180E}'),
            ('\u{2000}', '\u{200A}'),
            ('\u{202F}', '\u{202F}'),
            ('\u{205F}', '\u{205F}'),
            ('\u{3000}', '\u{3000}'),
        ]),
        _ => Set::of(&[('\n', '\r'), ('\u{85}', '\u{85}'), ('\u{2028}', '\u{2029}')]),
    }
}
