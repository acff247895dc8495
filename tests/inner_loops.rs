//! What the compiler made of the innermost loops: no call, no accumulator in memory, and no vector that is scattered; of those that take
//! exponentials, and of those that add `f32` in `f64`, vectors.
//!
//! One of them costs a factor of two to thirty, and nothing but the assembly shows it. `.ci/run` makes that of the
//! library, in which all kernels are compiled for both types, and names the files in `CINTA_ASSEMBLY`.

#![cfg(target_arch = "x86_64")]

use std::fs;

/// The innermost loops of a function: from a label to the jump back to it, with no other loop inside.
fn innermost_loops<'a>(lines: &[&'a str]) -> Vec<Vec<&'a str>> {
    let mut loops: Vec<(usize, usize)> = Vec::new();
    for (end, line) in lines.iter().enumerate() {
        let Some(target) = line.trim().strip_prefix('j').and_then(|jump| jump.split('\t').nth(1))
        else {
            continue;
        };
        let label = format!("{target}:");
        if let Some(start) = lines[..end].iter().rposition(|line| *line == label) {
            loops.push((start, end));
        }
    }
    let inside =
        |&(a, b): &(usize, usize), &(c, d): &(usize, usize)| c >= a && d <= b && (a, b) != (c, d);
    let innermost = loops.iter().filter(|outer| !loops.iter().any(|inner| inside(outer, inner)));
    innermost.map(|&(start, end)| lines[start..=end].to_vec()).collect()
}

/// What is wrong with a loop.
fn fault(lines: &[&str]) -> Option<String> {
    let vector = |line: &str| line.contains("%ymm") || line.contains("%zmm");
    lines.iter().find_map(|line| {
        let instruction = line.trim();
        let called = instruction.starts_with("call");
        let spilled = instruction.starts_with("vmov") && vector(line) && line.contains("(%rsp");
        let gathered = instruction.starts_with("vgather");
        (called || spilled || gathered).then(|| instruction.to_owned())
    })
}

/// The loops that put exponents into their place in vectors: `exp` and what is computed with it. In the 16 registers of AVX2, two
/// vectors at a time have a few numbers too many, so these may stand in memory.
fn exponentials(assembly: &str) -> Vec<(String, Vec<&str>)> {
    let mut found = Vec::new();
    for lines in functions(assembly) {
        for innermost in innermost_loops(&lines) {
            let shifted = |line: &&str| {
                line.trim().starts_with("vpslld\t$23,")
                    && (line.contains("%ymm") || line.contains("%zmm"))
            };
            if innermost.iter().any(shifted) {
                found.push((lines[0].to_owned(), innermost));
            }
        }
    }
    found
}

/// The loops that turn `f32` to `f64` and add it up: in vectors, and many numbers one after the other. (A loop for the rest of a row takes a
/// few numbers in a turn.)
fn wide_sums(assembly: &str) -> [Vec<String>; 2] {
    let mut found = [Vec::new(), Vec::new()];
    for lines in functions(assembly).iter().filter(|lines| lines[0].contains("avx")) {
        for innermost in innermost_loops(lines) {
            let count =
                |name: &str| innermost.iter().filter(|line| line.trim().starts_with(name)).count();
            if count("vcvtps2pd") >= 2 && count("vaddpd") >= 4 {
                found[0].push(lines[0].to_owned());
            }
            if count("vcvtss2sd") >= 16 {
                found[1].push(format!("{} {} vcvtss2sd", lines[0], count("vcvtss2sd")));
            }
        }
    }
    found
}

/// The functions of this crate, from their label on.
fn functions(assembly: &str) -> Vec<Vec<&str>> {
    let lines: Vec<&str> = assembly.lines().collect();
    let begins = |line: &&str| !line.starts_with(['.', '\t', ' ', '#']) && line.ends_with(':');
    let mut starts: Vec<usize> =
        (0..lines.len()).filter(|&at| lines.get(at).is_some_and(begins)).collect();
    starts.push(lines.len());
    let functions = starts.windows(2).map(|function| lines[function[0]..function[1]].to_vec());
    functions.filter(|lines| lines[0].contains("cinta")).collect()
}

/// The loops that multiply and add with vectors, with the function that they are in.
fn products(assembly: &str) -> Vec<(String, Vec<&str>)> {
    let mut found = Vec::new();
    for lines in functions(assembly) {
        for innermost in innermost_loops(&lines) {
            let fused = |line: &&&str| {
                line.trim().starts_with("vfmadd")
                    && (line.contains("%ymm") || line.contains("%zmm"))
            };
            if innermost.iter().filter(fused).count() >= 4 {
                found.push((lines[0].to_owned(), innermost));
            }
        }
    }
    found
}

#[test]
#[ignore = "needs the assembly that .ci/run makes"]
fn no_call_no_spill_and_no_scatter() {
    let files = std::env::var("CINTA_ASSEMBLY").expect("CINTA_ASSEMBLY names files of assembly");
    let (mut ymm, mut zmm, mut exponents, mut wide) = (0, 0, [0, 0], 0);
    let mut faults = Vec::new();
    for file in files.split(' ').filter(|file| !file.is_empty()) {
        let assembly = fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"));
        // Where the compiler took a loop over vectors apart, to compute many turns side by side, a lane each.
        for lines in functions(&assembly) {
            let scatter = lines.iter().find(|line| line.trim().starts_with("vscatter"));
            faults.extend(scatter.map(|line| format!("{} {}", lines[0], line.trim())));
        }
        for (function, lines) in exponentials(&assembly) {
            exponents[usize::from(lines.iter().any(|line| line.contains("%zmm")))] += 1;
            let slow = |line: &&&str| {
                let instruction = line.trim();
                instruction.starts_with("call") || instruction.starts_with("vgather")
            };
            faults
                .extend(lines.iter().find(slow).map(|line| format!("{function} {}", line.trim())));
        }
        let [vectors, numbers] = wide_sums(&assembly);
        wide += vectors.len();
        faults.extend(numbers);
        for (function, lines) in products(&assembly) {
            if lines.iter().any(|line| line.contains("%zmm")) {
                zmm += 1
            } else {
                ymm += 1
            }
            if let Some(fault) = fault(&lines) {
                faults.push(format!("{function} {fault}\n{}", lines.join("\n")));
            }
        }
    }
    println!("{ymm} loops with AVX2 and {zmm} with AVX-512");
    println!("{} exponentials with AVX2 and {} with AVX-512", exponents[0], exponents[1]);
    println!("{wide} sums in f64");
    assert!(wide >= 12, "{wide} loops that add in f64");
    assert!(exponents.iter().all(|&count| count >= 10), "{exponents:?} loops with exponentials");
    assert!(ymm >= 20 && zmm >= 20, "only {ymm} and {zmm} loops: are the kernels in these files?");
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n\n"));
}

#[test]
fn faults_are_seen() {
    let clean = "_ZN5cinta4tile:\n.LBB0_1:\n\tvmovups\t(%rax), %ymm1\n\tvfmadd231ps\t%ymm1, %ymm2, %ymm3\n\
                 \tvfmadd231ps\t%ymm1, %ymm2, %ymm4\n\tvfmadd231ps\t%ymm1, %ymm2, %ymm5\n\
                 \tvfmadd231ps\t%ymm1, %ymm2, %ymm6\n\tjne\t.LBB0_1\n";
    let loops = products(clean);
    assert_eq!(loops.len(), 1);
    assert_eq!(fault(&loops[0].1), None);
    let spilled = clean.replace("vmovups\t(%rax), %ymm1", "vmovups\t%ymm3, 32(%rsp)");
    assert!(fault(&products(&spilled)[0].1).is_some());
    let gathered = clean.replace("vmovups\t(%rax)", "vgatherqps\t(,%zmm0)");
    assert!(fault(&products(&gathered)[0].1).is_some());
    let called = clean.replace("vmovups\t(%rax), %ymm1", "callq\tfmaf");
    assert!(fault(&products(&called)[0].1).is_some());
    let exponents = clean.replace("vfmadd231ps\t%ymm1, %ymm2, %ymm3", "vpslld\t$23, %ymm2, %ymm3");
    assert_eq!([clean, &exponents].map(|text| exponentials(text).len()), [0, 1]);
    let scalar = exponents.replace("vpslld\t$23, %ymm2, %ymm3", "shll\t$23, %eax");
    assert_eq!(exponentials(&scalar).len(), 0);
    let vectors = "_ZN5cinta4simd4avx2:\n.LBB0_1:\n\tvcvtps2pd\t%xmm1, %ymm2\n\tvcvtps2pd\t%xmm3, %ymm4\n\tvaddpd\t%ymm2\n\
                   \tvaddpd\t%ymm4\n\tvaddpd\t%ymm5\n\tvaddpd\t%ymm6\n\tjne\t.LBB0_1\n";
    assert_eq!(wide_sums(vectors).map(|loops| loops.len()), [1, 0]);
    let numbers = vectors
        .replace("\tvaddpd\t%ymm2\n", &"\tvcvtss2sd\t(%rax)\n".repeat(16))
        .replace("vcvtps2pd", "vmovups");
    assert_eq!(wide_sums(&numbers).map(|loops| loops.len()), [0, 1]);
    // A loop around the loop is not looked at.
    let outer = format!("{clean}\tcallq\tsomething\n\tjne\t.LBB0_0\n")
        .replace("tile:\n", "tile:\n.LBB0_0:\n");
    assert_eq!(fault(&products(&outer)[0].1), None);
}
