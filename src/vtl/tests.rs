//! The stages against goldens, and the bounds against hostile templates.
//!
//! `tests/data/vtl/goldens/*.vtl` are templates; beside each stands what the lexer, the parser and the
//! code generator make of it, or the error. `BLESS=1 cargo test --lib vtl::tests` writes them anew.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::lexer::Lexer;
use super::token::Kind;
use super::*;
use crate::context::ContextVariable;

/// A request with a little of everything.
struct Request;

const BODY: &str = r#"{"a":{"b":"B","n":[1,2.5,"x\ny"]},"t":true,"z":null}"#;

impl<'a> Host<'a> for Request {
    fn body(&self) -> &'a str {
        BODY
    }

    fn len(&self, map: HostMap) -> usize {
        usize::from(map == HostMap::PATH || map == HostMap::STAGE_VARIABLES)
    }

    fn entry(&self, map: HostMap, _index: usize) -> (&'a str, HostValue<'a>) {
        if map == HostMap::PATH {
            ("id", HostValue::Text("7"))
        } else {
            ("v", HostValue::Text("sv"))
        }
    }

    fn context(&self, variable: ContextVariable) -> HostValue<'a> {
        match variable {
            ContextVariable::Stage => HostValue::Text("dev"),
            ContextVariable::RequestTimeEpoch => HostValue::Number(1_744_202_096_000),
            ContextVariable::RequestId => HostValue::Computed(1),
            _ => HostValue::Null,
        }
    }

    fn write(&self, _computed: u32, out: &mut String) {
        out.push_str("id-1");
    }
}

/// A request that is nothing but a large body.
struct Wide(String);

impl<'a> Host<'a> for &'a Wide {
    fn body(&self) -> &'a str {
        &self.0
    }

    fn len(&self, _map: HostMap) -> usize {
        0
    }

    fn entry(&self, _map: HostMap, _index: usize) -> (&'a str, HostValue<'a>) {
        ("", HostValue::Null)
    }

    fn context(&self, _variable: ContextVariable) -> HostValue<'a> {
        HostValue::Null
    }

    fn write(&self, _computed: u32, _out: &mut String) {}
}

fn render_with(
    source: &str,
    undefined: Undefined,
    scratch: &mut Scratch,
    settings: Settings,
) -> Result<String, String> {
    let program = compile(source, undefined).map_err(|error| error.explain(source))?;
    let mut out = String::new();
    program
        .render(&Request, scratch, settings, &mut Overrides::default(), &mut out)
        .map_err(|error| error.explain(source))?;
    Ok(out)
}

fn render(source: &str) -> Result<String, String> {
    render_with(source, Undefined::Empty, &mut Scratch::default(), Settings::default())
}

/// What the stages make of a template.
fn stages(source: &str) -> String {
    let mut text = String::from("tokens\n");
    let mut lexer = Lexer::new(source);
    loop {
        match lexer.next_token() {
            Ok(token) => {
                let image = &source[token.start as usize..token.end as usize];
                let _ = writeln!(text, "  {:?} {image:?}", token.kind);
                if token.kind == Kind::Eof {
                    break;
                }
                // What the parser does after a directive's name.
                if matches!(token.kind, Kind::Word | Kind::BracketedWord) {
                    lexer.switch_to_directive();
                    if !lexer.left_parenthesis_follows() {
                        lexer.pop();
                    }
                }
            }
            Err(error) => {
                let _ = writeln!(text, "  error at {}: {error}", error.at);
                break;
            }
        }
    }
    match parser::parse(source, &|_| false) {
        Ok(block) => {
            let _ = writeln!(text, "tree\n{block:#?}");
            for undefined in [Undefined::Literal, Undefined::Empty] {
                let program = compile(source, undefined).expect("it has parsed");
                let _ = write!(text, "code, undefined {undefined:?}\n{}", program.disassemble());
            }
        }
        Err(error) => {
            let _ = writeln!(text, "error\n{}", error.explain(source));
        }
    }
    text
}

#[test]
fn stages_make_of_templates_what_the_goldens_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vtl/goldens");
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "vtl"));
    files.sort();
    assert!(files.len() >= 20, "the goldens are there");
    for file in files {
        let source = fs::read_to_string(&file).unwrap();
        let got = stages(&source);
        let golden = file.with_extension("golden");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&golden, &got).unwrap();
        }
        let want = fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(got, want, "{}: BLESS=1 writes it anew", file.display());
    }
}

#[test]
fn an_instruction_has_eight_bytes() {
    assert_eq!(size_of::<Instr>(), 8);
    assert!(size_of::<Value<'_>>() <= 32, "{}", size_of::<Value<'_>>());
}

#[test]
fn references_to_the_request_are_what_they_say() {
    for (template, want) in [
        (
            "$input.path('$.a.b') $input.json('$.a.n') [$input.json('$.z')]",
            r#"B [1,2.5,"x\ny"] [""]"#,
        ),
        ("$input.params('id') $input.params().path [$input.params('nope')]", "7 {id=7} []"),
        ("$context.stage $context.requestId $context.requestTimeEpoch", "dev id-1 1744202096000"),
        ("$stageVariables.v ${stageVariables['v']} [$stageVariables.w]", "sv sv []"),
        ("#set($b = $input.path('$'))#set($b.a.b = 'C')$input.json('$.a.b')", "\"C\""),
        ("#set($input = 'x')$input", "x"),
        ("[$nope[-1]] [$nope.a[0].b('x')] [$nope.toString(1)]", "[] [] []"),
        ("#foreach($stageVariables in [1])$stageVariables.v#end|", "|"),
    ] {
        assert_eq!(render(template).as_deref(), Ok(want), "{template}");
    }
}

#[test]
fn every_bound_ends_a_rendering_with_a_reason() {
    let nested = "#foreach($a in [1..1000])".repeat(4) + "x" + &"#end".repeat(4);
    let doubling = "#set($s = 'xxxxxxxxxxxxxxxx')".to_owned() + &"#set($s = \"$s$s\")".repeat(40);
    let squaring = "#set($n = 9999999999)".to_owned() + &"#set($n = $n * $n)".repeat(40);
    for (template, says) in [
        (nested.as_str(), "too many steps"),
        (doubling.as_str(), "bytes"),
        (squaring.as_str(), "bits"),
        ("#set($r = [1..2000000000])", "elements"),
        ("#macro(m)#m()#end#m()", "deep"),
        ("#set($e = '#evaluate($e)')#evaluate($e)", "deep"),
        ("#set($l = [1..1000])#foreach($i in [1..1000])#set($x = $l.addAll($l))#end", "too many"),
        ("#set($m = {})#set($x = $m.put('m', {'m': $m}))$m.get('m')", "too deep"),
    ] {
        let error = render(template).expect_err(template);
        assert!(error.contains(says), "{template:.80}: {error}");
        assert!(error.starts_with("line "), "{error}");
    }
    let deep = "#if(true)".repeat(5_000);
    assert!(render(&deep).unwrap_err().contains("nested deeper"), "a deep template is refused");
    let brackets = format!("#set($x = {}", "[".repeat(100_000));
    assert!(render(&brackets).is_err());
    let long = "x".repeat(limits::TEMPLATE_BYTES_MAX + 1);
    assert!(render(&long).unwrap_err().contains("the limit is"));
}

#[test]
fn work_on_long_strings_burns_fuel() {
    let long = &Wide("x".repeat(1_000_000));
    for call in [
        "$b.charAt($i)",
        "$b.trim()",
        "$b.contains('zq')",
        "$b.length()",
        "$b.hashCode()",
        "$b.indexOf('y')",
        "$b.substring(1)",
        "$b.equalsIgnoreCase($b)",
        "$b.matches('(x*)*\\1y(?=z)')",
        "$s.matches('(a*)*\\1b(?=x)')",
    ] {
        let source = format!(
            "#set($b = $input.body)#set($s = 'aaaaaaaaaaaaaaaaaaaa')\
             #foreach($i in [1..1000])#foreach($j in [1..1000])#set($r = {call})#end#end"
        );
        let program = compile(&source, Undefined::Empty).unwrap();
        let mut out = String::new();
        let result = program.render(
            &long,
            &mut Scratch::default(),
            Settings::default(),
            &mut Overrides::default(),
            &mut out,
        );
        let error = result.expect_err(call);
        assert!(error.message.contains("steps"), "{call}: {error}");
    }
}

#[test]
fn a_body_with_very_many_members_costs_what_it_is_long_and_no_more() {
    let members: Vec<String> = (0..100_000).map(|index| format!("\"k{index}\":{index}")).collect();
    let many = &Wide(format!("{{\"o\":{{{}}}}}", members.join(",")));
    let render = |source: &str| {
        let program = compile(source, Undefined::Empty).unwrap();
        let mut out = String::new();
        let (mut scratch, mut overrides) = (Scratch::default(), Overrides::default());
        program
            .render(&many, &mut scratch, Settings::default(), &mut overrides, &mut out)
            .map(|()| out)
            .map_err(|error| error.message)
    };
    // One pass each: quadratic ones would take minutes.
    let set = "#set($o = $input.path('$.o'))#set($o.k7 = 'x')$o.k7 $o.size()";
    assert_eq!(render(set).as_deref(), Ok("x 100000"));
    assert_eq!(render("$input.path('$.o').containsValue('none')").as_deref(), Ok("false"));
    // Lookups burn fuel by the members they go through.
    for lookup in ["$o.none", "$o.get('none')", "$input.path('$.o.none')"] {
        let source = format!(
            "#set($o = $input.path('$.o'))#foreach($i in [1..1000])#foreach($j in [1..1000])\
             #set($x = {lookup})#end#end"
        );
        assert!(render(&source).is_err_and(|why| why.contains("steps")), "{lookup}");
    }
}

#[test]
fn a_loop_ends_after_as_many_iterations_as_the_settings_allow() {
    let settings = Settings { foreach_iterations_max: 3, ..Settings::default() };
    let template = "#foreach($i in [1..9])$i#if($foreach.hasNext),#end#end|";
    let got = render_with(template, Undefined::Empty, &mut Scratch::default(), settings);
    assert_eq!(got.as_deref(), Ok("1,2,3,|"));
}

#[test]
fn output_is_bounded() {
    let settings = Settings { output_bytes_max: 100, ..Settings::default() };
    let template = "#foreach($i in [1..50])0123456789#end";
    let got = render_with(template, Undefined::Empty, &mut Scratch::default(), settings);
    assert!(got.unwrap_err().contains("more than 100 bytes"));
}

#[test]
fn a_warm_rendering_without_lists_and_maps_allocates_nothing() {
    let template = "#set($x = $input.path('$.a.n'))#foreach($i in $x)#set($t = $foreach.count * 2 + 1)\
        {\"n\":$t,\"u\":\"$input.path('$.a.b').toUpperCase().substring(0,1)\",\"c\":\"$context.stage\",\
        \"p\":\"$input.params('id')\",\"e\":\"$util.escapeJavaScript(\"it's $context.requestId\")\"}\
        #if($foreach.hasNext),#end#end $input.json('$')";
    let program = compile(template, Undefined::Empty).unwrap();
    let mut scratch = Scratch::default();
    let mut out = String::new();
    let mut overrides = Overrides::default();
    let mut run = |out: &mut String| {
        out.clear();
        program.render(&Request, &mut scratch, Settings::default(), &mut overrides, out).unwrap();
    };
    for _ in 0..3 {
        run(&mut out);
    }
    let info = allocation_counter::measure(|| run(&mut out));
    assert_eq!(info.count_total, 0, "{out}");
    assert!(out.contains("\"u\":\"B\""), "{out}");
}

/// Pieces that templates are made of; strung together they reach most of the grammar.
const PIECES: [&str; 64] = [
    "$a",
    "$!a",
    "${a}",
    "$!{a.b}",
    "$a.b",
    "$a[0]",
    "$a['k']",
    "$a.size()",
    "$a.get($b)",
    "$",
    "!",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "#if(",
    "#if($a)",
    "#elseif(true)",
    "#else",
    "#end",
    "#foreach($i in $a)",
    "#foreach($i in [1..5])",
    "#set($a = ",
    "#set($a = [1,2,'x'])",
    "#set($a = {'k': 1})",
    "#set($a = 'v')",
    "#set($a = \"$b#if($c)x#end\")",
    "#macro(m $p)",
    "#m($a)",
    "#m('x')",
    "#define($d)",
    "$d",
    "#evaluate($a)",
    "#evaluate('$b#set($a=1)')",
    "#stop",
    "#break",
    "##",
    "\n",
    "#*",
    "*#",
    "#[[",
    "]]#",
    "\\",
    "\"",
    "'",
    ",",
    " ",
    "\\$a",
    "\\#if",
    "1",
    "-5",
    "2.5",
    "==",
    "&&",
    "+",
    "/",
    "$input.path('$.a')",
    "$input.json('$..b')",
    "$util.parseJson($a)",
    "$context.stage",
    "é世😀",
    "$foreach.hasNext",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(source in any::<String>()) {
        fuzz::template(source.as_bytes());
    }

    #[test]
    fn no_template_panics_or_runs_for_ever(pieces in prop::collection::vec(0..PIECES.len(), 0..40)) {
        let source: String = pieces.into_iter().map(|piece| PIECES[piece]).collect();
        fuzz::template(source.as_bytes());
    }
}
