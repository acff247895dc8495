//! Puts many mutants into one build: each behind a switch, of which one is on while tests run.
//!
//!     cargo mutants --list --json | mutants TREE SEED COUNT > sample.txt
//!
//! takes a sample of cargo-mutants' list, changes the sources in TREE (a copy), and prints the sample: number and name. The
//! environment variable `CINTA_MUTANT` then says which one is on. What cannot be switched (constants, fields) or lies inside of
//! another one of the sample is drawn again.

use proc_macro2::{LineColumn, Span};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::Path;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// A mutant of the list.
struct Mutant {
    file: String,
    name: String,
    genre: String,
    replacement: String,
    start: LineColumn,
}

/// Text that takes the place of a range of bytes.
struct Edit {
    from: usize,
    to: usize,
    text: String,
}

/// A source file, and what is to be found in it.
struct Finder<'a> {
    text: &'a str,
    /// Where each line begins.
    lines: Vec<usize>,
    wanted: &'a HashMap<(usize, usize), Vec<usize>>,
    mutants: &'a [Mutant],
    found: BTreeMap<usize, Edit>,
}

const SWITCH: &str = "crate::mutant";

impl Finder<'_> {
    /// The place in the text. Columns count characters.
    fn byte(&self, at: LineColumn) -> usize {
        let line = &self.text[self.lines[at.line - 1]..];
        let column = line.char_indices().nth(at.column).map_or(line.len(), |(byte, _)| byte);
        self.lines[at.line - 1] + column
    }

    fn source(&self, span: Span) -> &str {
        &self.text[self.byte(span.start())..self.byte(span.end())]
    }

    /// Finds all mutants of a genre that begin at a place.
    fn find(
        &mut self,
        at: LineColumn,
        genre: &str,
        edit: impl Fn(&Self, usize, &Mutant) -> Option<(Span, String)>,
    ) {
        let Some(here) = self.wanted.get(&(at.line, at.column)) else { return };
        for &id in here {
            let mutant = &self.mutants[id];
            if mutant.genre == genre
                && let Some((span, text)) = edit(self, id, mutant)
            {
                let (from, to) = (self.byte(span.start()), self.byte(span.end()));
                self.found.insert(id, Edit { from, to, text });
            }
        }
    }

    /// A whole function that does something else.
    fn function(&mut self, block: &syn::Block, constant: bool) {
        let Some(first) = block.stmts.first().filter(|_| !constant) else { return };
        let at = first.span();
        self.find(at.start(), "FnValue", |finder, id, mutant| {
            let value = &mutant.replacement;
            let text = format!("if {SWITCH}({id}) {{ return {value}; }} {}", finder.source(at));
            Some((at, text))
        });
    }
}

/// Whether an expression holds a `let`, which may stand in no parentheses.
fn has_let(expr: &syn::Expr) -> bool {
    struct Search(bool);
    impl Visit<'_> for Search {
        fn visit_expr_let(&mut self, _: &syn::ExprLet) {
            self.0 = true;
        }
    }
    let mut search = Search(false);
    search.visit_expr(expr);
    search.0
}

impl<'ast> Visit<'ast> for Finder<'_> {
    // Constants are computed before any switch is set.
    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}
    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}
    fn visit_trait_item_const(&mut self, _: &'ast syn::TraitItemConst) {}
    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}
    fn visit_type(&mut self, _: &'ast syn::Type) {}
    fn visit_expr_repeat(&mut self, _: &'ast syn::ExprRepeat) {}
    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if item.sig.constness.is_none() {
            self.function(&item.block, false);
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if item.sig.constness.is_none() {
            self.function(&item.block, false);
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(block, item.sig.constness.is_some());
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_expr_binary(&mut self, expr: &'ast syn::ExprBinary) {
        if !has_let(&expr.left) && !has_let(&expr.right) {
            self.find(expr.op.span().start(), "BinaryOperator", |finder, id, mutant| {
                let [left, op, right] = [expr.left.span(), expr.op.span(), expr.right.span()];
                let [left, op, right] = [left, op, right].map(|span| finder.source(span));
                let new = &mutant.replacement;
                let text = format!("(if {SWITCH}({id}) {{ ({left}) {new} ({right}) }} else {{ ({left}) {op} ({right}) }})");
                Some((expr.span(), text))
            });
        }
        visit::visit_expr_binary(self, expr);
    }

    fn visit_expr_unary(&mut self, expr: &'ast syn::ExprUnary) {
        self.find(expr.span().start(), "UnaryOperator", |finder, id, _| {
            let (whole, operand) = (finder.source(expr.span()), finder.source(expr.expr.span()));
            Some((expr.span(), format!("(if {SWITCH}({id}) {{ {operand} }} else {{ {whole} }})")))
        });
        visit::visit_expr_unary(self, expr);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        match &arm.guard {
            Some((_, guard)) if !has_let(guard) => {
                self.find(guard.span().start(), "MatchArmGuard", |finder, id, mutant| {
                    let source = finder.source(guard.span());
                    let text = match &mutant.replacement[..] {
                        "true" => format!("({SWITCH}({id}) || ({source}))"),
                        _ => format!("(!{SWITCH}({id}) && ({source}))"),
                    };
                    Some((guard.span(), text))
                });
                self.find(arm.span().start(), "MatchArm", |finder, id, _| {
                    let source = finder.source(guard.span());
                    Some((guard.span(), format!("(!{SWITCH}({id}) && ({source}))")))
                });
            }
            None => self.find(arm.span().start(), "MatchArm", |finder, id, _| {
                let source = finder.source(arm.pat.span());
                Some((arm.pat.span(), format!("{source} if !{SWITCH}({id})")))
            }),
            Some(_) => {}
        }
        visit::visit_arm(self, arm);
    }
}

fn read_list() -> Vec<Mutant> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).expect("a list");
    let list: Value = serde_json::from_str(&text).expect("the list of cargo-mutants");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mutant = |value: &Value| {
        let start = &value["span"]["start"];
        let number = |name: &str| start[name].as_u64().expect("a number") as usize;
        Mutant {
            file: text(&value["file"]),
            name: text(&value["name"]),
            genre: text(&value["genre"]),
            replacement: text(&value["replacement"]),
            start: LineColumn { line: number("line"), column: number("column") - 1 },
        }
    };
    list.as_array().expect("a list").iter().map(mutant).collect()
}

/// An order that depends on the seed alone.
fn shuffled(count: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    let mut state = seed;
    for i in (1..count).rev() {
        // SplitMix64
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        order.swap(i, ((z ^ (z >> 31)) % (i as u64 + 1)) as usize);
    }
    order
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, tree, seed, count, skipped @ ..] = &arguments[..] else {
        panic!("usage: mutants TREE SEED COUNT [SKIP..]")
    };
    let (tree, count) = (Path::new(tree), count.parse().expect("a count"));
    let mutants = read_list();
    let mut files: BTreeMap<&str, HashMap<(usize, usize), Vec<usize>>> = BTreeMap::new();
    for (id, Mutant { file, start, .. }) in mutants.iter().enumerate() {
        files.entry(file).or_default().entry((start.line, start.column)).or_default().push(id);
    }
    let mut edits = BTreeMap::new();
    let mut texts = BTreeMap::new();
    for (file, wanted) in &files {
        let text = std::fs::read_to_string(tree.join(file)).expect(file);
        let syntax = syn::parse_file(&text).expect(file);
        let lines =
            std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut finder =
            Finder { text: &text, lines, wanted, mutants: &mutants, found: BTreeMap::new() };
        finder.visit_file(&syntax);
        edits.append(&mut finder.found);
        texts.insert(*file, text);
    }
    // Those of one file must not touch.
    let mut taken: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut sample = 0;
    for id in shuffled(mutants.len(), seed.parse().expect("a seed")) {
        let Some(edit) =
            edits.get(&id).filter(|_| sample < count && !skipped.contains(&id.to_string()))
        else {
            continue;
        };
        let others = taken.entry(&mutants[id].file).or_default();
        if others.iter().all(|other| edits[other].to <= edit.from || edit.to <= edits[other].from) {
            others.push(id);
            sample += 1;
        }
    }
    for (file, mut ids) in taken {
        let mut text = texts[file].clone();
        ids.sort_by_key(|id| std::cmp::Reverse(edits[id].from));
        for id in ids {
            text.replace_range(edits[&id].from..edits[&id].to, &edits[&id].text);
            println!("{id} {}", mutants[id].name);
        }
        std::fs::write(tree.join(file), text).expect(file);
    }
    let root = tree.join("src/lib.rs");
    let text = std::fs::read_to_string(&root).expect("src/lib.rs");
    let switch = r#"
/// Whether this mutant is on.
#[doc(hidden)]
#[inline]
pub fn mutant(id: u32) -> bool {
    static ON: std::sync::LazyLock<u32> = std::sync::LazyLock::new(|| {
        std::env::var("CINTA_MUTANT").ok().and_then(|id| id.parse().ok()).unwrap_or(u32::MAX)
    });
    *ON == id
}
"#;
    std::fs::write(root, text + switch).expect("src/lib.rs");
    eprintln!("{} of {} mutants have a switch; {sample} were taken", edits.len(), mutants.len());
}
