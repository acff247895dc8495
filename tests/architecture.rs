//! The structure that docs/architecture.md promises, checked against the sources.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What each room of `src/` may use, beside itself.
const ARROWS: [(&str, &[&str]); 23] = [
    ("error", &[]),
    ("config", &["error"]),
    ("book", &[]),
    ("file", &["error"]),
    ("buffer", &[]),
    ("par", &["buffer"]),
    ("simd", &["buffer"]),
    ("scalar", &["buffer", "simd"]),
    ("tensor", &["buffer", "par", "scalar", "simd"]),
    ("kernels", &["buffer", "error", "par", "scalar", "simd", "tensor"]),
    ("filters", &["kernels", "scalar", "tensor"]),
    ("images", &["error", "file", "scalar", "tensor"]),
    ("autograd", &["scalar", "tensor"]),
    ("ops", &["autograd", "buffer", "error", "kernels", "par", "scalar", "tensor"]),
    ("derivatives", &["autograd", "scalar", "tensor"]),
    ("nn", &["autograd", "config", "error", "kernels", "ops", "scalar", "tensor"]),
    ("train", &["autograd", "config", "error", "nn", "ops", "par", "scalar", "tensor"]),
    ("datasets", &["error", "file", "images", "scalar", "tensor"]),
    (
        "model",
        &[
            "autograd", "buffer", "config", "datasets", "error", "kernels", "nn", "par", "scalar",
            "tensor", "train",
        ],
    ),
    ("applications", &["error", "kernels", "model", "nn", "scalar", "tensor"]),
    ("plot", &["autograd", "error", "file", "model", "scalar", "tensor"]),
    ("io", &["buffer", "config", "error", "file", "model", "nn", "scalar", "tensor", "train"]),
    ("callbacks", &["error", "io", "model", "scalar", "tensor", "train"]),
];

/// All files of a folder with their texts.
fn sources(dir: &str) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut dirs = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(dir)];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source file");
                found.insert(path, text);
            }
        }
    }
    found
}

/// The room that a file of `src/` stands in.
fn room(path: &Path) -> String {
    let inside =
        path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("in src");
    let first = inside.components().next().expect("a file").as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// A file's code: without comments, documentation and the tests at its end.
fn code(text: &str) -> String {
    let body = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    body.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// The rooms that a piece of code names as `crate::room`, also in `use crate::{a, b}`.
fn rooms_used(code: &str) -> Vec<String> {
    let mut used = Vec::new();
    for part in code.split("crate::").skip(1) {
        let names = part.strip_prefix('{').and_then(|group| group.split_once('}'));
        let names: Vec<&str> = match names {
            Some((group, _)) => group.split(',').map(str::trim).collect(),
            None => vec![part],
        };
        for name in names {
            let name: String =
                name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            used.push(name);
        }
    }
    used
}

#[test]
fn arrows_point_one_way() {
    let mut checked = 0;
    for (path, text) in sources("src") {
        let room = room(&path);
        if matches!(room.as_str(), "lib" | "prelude") {
            continue;
        }
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == room) else {
            panic!("{}: the room {room} is not on the list of rooms", path.display())
        };
        for used in rooms_used(&code(&text)) {
            assert!(
                used == room || allowed.contains(&used.as_str()),
                "{}: {room} may not use {used}",
                path.display()
            );
            checked += 1;
        }
    }
    assert!(
        checked > 100,
        "only {checked} arrows were seen: does the test still read the sources?"
    );
    // The list itself has no circle: a room uses only rooms before it.
    for (i, (name, allowed)) in ARROWS.iter().enumerate() {
        for used in *allowed {
            assert!(ARROWS[..i].iter().any(|(before, _)| before == used), "{name} before {used}");
        }
    }
}

#[test]
fn the_rooms_are_described_in_their_order() {
    let rooms = ARROWS.map(|(name, _)| name);
    let read = |path: &str| {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path)
    };
    let table = read("docs/architecture.md");
    let in_table: Vec<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(room, _)| room)
        .collect();
    assert_eq!(in_table, rooms, "the table of docs/architecture.md");
    let text = read("src/lib.rs");
    let (_, list) = text.split_once("//! # The rooms").expect("the list of rooms");
    let list = list.split("`docs/").next().expect("a part");
    let in_list: Vec<&str> =
        list.split('`').skip(1).step_by(2).filter(|name| *name != "unsafe").collect();
    assert_eq!(in_list, rooms, "the list of src/lib.rs");
}

#[test]
fn unsafe_lives_in_one_room_and_says_why() {
    let mut blocks = 0;
    // The name of an unsafe function: its documentation says what the caller must see to, that of a method in its trait.
    let function = |line: &str| {
        let name = line.split_once("unsafe fn ")?.1;
        name.split(['(', '<']).next().map(str::to_owned)
    };
    let mut documented = Vec::new();
    for (_, text) in sources("src") {
        let lines: Vec<&str> = text.lines().collect();
        for (i, name) in lines.iter().enumerate().filter_map(|(i, line)| Some((i, function(line)?)))
        {
            let above = &lines[i.saturating_sub(7)..i];
            documented
                .extend(above.iter().any(|line| line.contains("/// # Safety")).then_some(name));
        }
    }
    for (path, text) in sources("src") {
        let lines: Vec<&str> = text.lines().collect();
        for (i, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if !code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe")
            {
                continue;
            }
            assert_eq!(room(&path), "simd", "{}:{}: unsafe outside of simd", path.display(), i + 1);
            // The comment may be several lines long, with attributes between.
            let explained = match function(code) {
                Some(name) => documented.contains(&name),
                None => {
                    lines[i.saturating_sub(6)..i].iter().any(|line| line.contains("// SAFETY:"))
                }
            };
            assert!(explained, "{}:{}: unsafe without SAFETY", path.display(), i + 1);
            blocks += 1;
        }
    }
    assert!(blocks > 0);
}

/// Operations that are put together from others on the tape, and have no rule of their own.
const COMPOSED: [&str; 17] = [
    "conv1d",
    "conv3d",
    "einsum",
    "expand_dims",
    "masked_select",
    "move_axis",
    "outer",
    "pad_with",
    "repeat",
    "roll",
    "sort",
    "sparse_categorical_crossentropy",
    "split",
    "stack",
    "tensordot",
    "tile",
    "trace",
];

#[test]
fn every_op_has_its_rule_example_gradient_check_and_definition() {
    let ops: Vec<_> = sources("src/ops")
        .into_iter()
        .filter(|(path, _)| !path.ends_with("mod.rs") && !path.ends_with("testing.rs"))
        .filter(|(path, _)| !path.ends_with("compositions.rs"))
        .collect();
    assert!(ops.len() >= 29, "{} ops", ops.len());
    for (path, text) in ops {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        for needed in [
            "compiled!(|",
            "fn worked_example()",
            "fn gradient()",
            "gradcheck(",
            "proptest!",
            "fn definition(",
        ] {
            assert!(text.contains(needed), "{name}: {needed} is missing");
        }
        if !COMPOSED.contains(&&name[..]) {
            assert!(text.contains("fn forward(") && text.contains("fn backward("), "{name}");
        }
        // Operators have no place for an example that runs; the trait documents them.
        if !["add", "sub", "mul", "div", "neg"].contains(&name.as_str()) {
            assert!(text.contains("/// ```"), "{name}: no documented example");
        }
    }
}

#[test]
fn a_file_is_one_idea() {
    for (path, text) in sources("src") {
        let lines = code(&text).lines().filter(|line| !line.trim().is_empty()).count();
        assert!(lines <= 400, "{}: {lines} lines of code", path.display());
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let vague = ["utils", "util", "helpers", "helper", "common", "manager", "misc"];
        assert!(!vague.contains(&name.as_str()), "{}", path.display());
    }
}

#[test]
fn nothing_is_left_for_later() {
    for dir in ["src", "tests", "examples", "benches"] {
        for (path, text) in sources(dir) {
            let words = ["TO", "FIX"].map(|half| if half == "TO" { "TODO" } else { "FIXME" });
            if !path.ends_with("architecture.rs") {
                assert!(!words.iter().any(|word| text.contains(word)), "{}", path.display());
            }
            assert!(
                !text.contains("todo!(") || path.ends_with("architecture.rs"),
                "{}",
                path.display()
            );
        }
    }
}

/// Rooms whose items are public, with what in them is not.
const PUBLIC: [&str; 18] = [
    "applications",
    "autograd",
    "callbacks",
    "config",
    "datasets",
    "derivatives",
    "error",
    "filters",
    "images",
    "io",
    "kernels/window",
    "model",
    "nn",
    "ops",
    "plot",
    "scalar",
    "tensor",
    "train",
];
const INTERNAL: [&str; 11] = [
    "Sealed",
    "error",
    "infer",
    "output",
    "of",
    "add",
    "loss",
    "samples",
    "scores",
    "transpose",
    "runs",
];

#[test]
fn every_public_item_has_an_example() {
    let (mut seen, mut without) = (0, Vec::new());
    for (path, text) in sources("src") {
        let inside =
            path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("in src");
        let inside = inside.to_string_lossy().replace('\\', "/");
        let public = PUBLIC.iter().any(|room| inside.starts_with(room));
        let internal = [
            "autograd/recording",
            "scalar/elementary",
            "model/progress",
            "canvas",
            "chart",
            "diagram",
            "facets",
            "layout/rows",
            "scale",
            "testing",
            "ops/dense",
            "monitor",
            "template",
        ];
        // What is in there is seen through `Model::save` and its like.
        let public = public && !inside.starts_with("io/keras");
        if !public || internal.iter().any(|name| inside.trim_end_matches(".rs").ends_with(name)) {
            continue;
        }
        let body = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let lines: Vec<&str> = body.lines().map(str::trim).collect();
        for (i, line) in lines.iter().enumerate() {
            let Some(item) = ["pub fn ", "pub struct ", "pub enum ", "pub trait "]
                .iter()
                .find_map(|start| line.strip_prefix(start))
            else {
                continue;
            };
            seen += 1;
            let above = lines[..i].iter().rev();
            let mut docs =
                above.take_while(|line| line.starts_with("///") || line.starts_with("#["));
            let name: String =
                item.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let example = docs.any(|line| line.contains("```"));
            // A name is empty in a macro, which documents all that it makes.
            if !example && !name.is_empty() && !INTERNAL.contains(&name.as_str()) {
                without.push(format!("{inside}:{}: {name}", i + 1));
            }
        }
    }
    assert!(seen > 250, "only {seen} public items were seen");
    assert!(without.is_empty(), "no example: {without:#?}");
}

/// Bytes as base64.
fn base64(bytes: &[u8]) -> String {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let byte = |i: usize| u32::from(*three.get(i).unwrap_or(&0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let digit = digits[(bits >> (18 - 6 * i) & 63) as usize];
            text.push(if i <= three.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[test]
fn every_figure_of_the_book_is_in_the_documentation() {
    assert_eq!(
        ["", "M", "Ma", "Man"].map(|text| base64(text.as_bytes())),
        ["", "TQ==", "TWE=", "TWFu"]
    );
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(root.join(path)).expect(path);
    let book = read("src/book.rs");
    let mut shown = 0;
    for line in book.lines().filter(|line| line.contains(".md\"")) {
        let page = line.split('"').nth(1).expect("a page");
        let text = read(&format!("docs/{page}"));
        let prose: String = text.split("```").step_by(2).collect(); // without code
        // What the page shows: `![what is to be seen][figure]`.
        let figures: Vec<&str> = prose
            .split("![")
            .skip(1)
            .filter_map(|part| part.split_once(']'))
            .map(|(_, after)| {
                let label = after.strip_prefix('[').and_then(|rest| rest.split_once(']'));
                label.unwrap_or_else(|| panic!("{page}: a figure without a label: {after:.40}")).0
            })
            .collect();
        let listed = line.split_once('[').map_or("", |(_, list)| list.trim_end_matches(']'));
        assert_eq!(figures.join(" "), listed, "the figures of {page}, and those in src/book.rs");
        for figure in figures {
            let folder = if page.contains('/') { "../figures" } else { "figures" };
            let file = format!("[{figure}]: {folder}/{figure}.png");
            assert!(text.lines().any(|line| line == file), "{page}: the line {file} is missing");
            let png = fs::read(root.join(format!("docs/figures/{figure}.png"))).expect(figure);
            assert!(
                read(&format!("docs/figures/{figure}.b64")) == base64(&png),
                "run: base64 -w0 docs/figures/{figure}.png > docs/figures/{figure}.b64"
            );
            shown += 1;
        }
    }
    let files = fs::read_dir(root.join("docs/figures")).expect("figures");
    assert_eq!(2 * shown, files.count(), "the figures that are shown, and their two files");
}
