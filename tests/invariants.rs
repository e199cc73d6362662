//! What the layout promises: which crate may depend on which, and what is absent where.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A package's dependencies: those of its users, and those of its tests alone.
#[derive(Debug, Default)]
struct Dependencies {
    always: BTreeSet<String>,
    tests: BTreeSet<String>,
}

/// What cargo prints, without asking any network.
fn cargo(arguments: &[&str]) -> Vec<u8> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo).current_dir(ROOT).args(arguments).arg("--offline").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn workspace() -> BTreeMap<String, Dependencies> {
    let metadata: Value = serde_json::from_slice(&cargo(&["metadata", "--format-version", "1", "--no-deps"])).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter().map(|package| {
        let mut dependencies = Dependencies::default();
        for dependency in package["dependencies"].as_array().unwrap() {
            let tests = dependency["kind"] == "dev";
            let set = if tests { &mut dependencies.tests } else { &mut dependencies.always };
            set.insert(text(&dependency["name"]));
        }
        (text(&package["name"]), dependencies)
    });
    packages.collect()
}

fn set<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

#[test]
fn crates_depend_on_each_other_only_along_the_arrows() {
    let arrows = [
        ("turnkey-core", "", ""),
        ("turnkey-sim", "core picture", ""),
        ("turnkey-env", "core picture", "sim"),
        ("turnkey-replay", "core", ""),
        ("turnkey-encoder", "core", ""),
        ("turnkey-sac", "core encoder", ""),
        ("turnkey-view", "core", ""),
        ("turnkey-benchmarks", "core sim", ""),
        ("turnkey-gymnasium", "core", "env"),
        ("turnkey-picture", "core", ""),
        ("turnkey-camera", "core picture", ""),
        ("turnkey-claw", "core", "claw-emulator"),
        ("turnkey-claw-emulator", "core", ""),
        ("turnkey", "core picture camera claw claw-emulator benchmarks gymnasium sim env replay sac view", ""),
        ("xtask", "", ""),
    ];
    let workspace = workspace();
    let ours: BTreeSet<_> = workspace.keys().cloned().collect();
    assert_eq!(ours, set(arrows.map(|(name, ..)| name)), "a crate came or went: say here what it may depend on");
    for (name, always, tests) in arrows {
        let allowed =
            |names: &str| names.split_whitespace().map(|name| format!("turnkey-{name}")).collect::<BTreeSet<_>>();
        let found = &workspace[name];
        let of_ours = |found: &BTreeSet<String>| found.intersection(&ours).cloned().collect::<BTreeSet<_>>();
        assert_eq!(of_ours(&found.always), allowed(always), "{name}");
        assert_eq!(of_ours(&found.tests), allowed(tests), "the tests of {name}");
    }
}

#[test]
fn core_has_no_tensor_library_and_nothing_that_does_input_or_output() {
    let core = &workspace()["turnkey-core"];
    let allowed = set(["rand_core", "rand_xoshiro", "serde", "thiserror"]);
    assert!(core.always.is_subset(&allowed), "{:?}", core.always.difference(&allowed));
}

#[test]
fn each_heavy_library_stays_behind_one_crate() {
    for (library, crates) in [
        ("burn", &["turnkey-encoder", "turnkey-sac"][..]),
        ("gemm", &["turnkey-encoder"]),
        ("mujoco-rs", &["turnkey-benchmarks", "turnkey-sim"]),
        ("rerun", &["turnkey-view"]),
        ("image", &["turnkey-picture"]),
        ("zune-jpeg", &["turnkey-picture"]),
        ("dynamixel2", &["turnkey-claw"]),
        ("serial2", &["turnkey-claw"]),
        ("nokhwa-core", &["turnkey-camera"]),
        ("nokhwa-bindings-linux", &["turnkey-camera"]),
        ("v4l", &["turnkey-camera"]),
        ("clap", &["turnkey"]),
        ("plotters", &["turnkey"]),
    ] {
        let users: Vec<String> =
            workspace().into_iter().filter(|(_, found)| found.always.contains(library)).map(|(name, _)| name).collect();
        assert_eq!(users, crates, "who uses {library}");
    }
}

#[test]
fn a_robots_small_computer_builds_neither_viewer_nor_libtorch() {
    let tree = |features: &[&str]| -> BTreeSet<String> {
        let fixed = ["tree", "--package=turnkey", "--edges=normal", "--prefix=none", "--format={lib}"];
        let lines = String::from_utf8(cargo(&[&fixed[..], features].concat())).unwrap();
        lines.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
    };
    let small = tree(&["--no-default-features", "--features=camera"]);
    assert!(small.contains("burn") && small.contains("v4l"), "{small:?}");
    for heavy in ["rerun", "tch", "torch_sys"] {
        assert!(!small.contains(heavy), "{heavy}");
    }
    assert!(tree(&[]).contains("rerun"), "the name that is looked for is the one that the viewer has");
}

#[test]
fn no_crate_names_a_global_random_generator() {
    for (name, Dependencies { always, tests }) in workspace() {
        for generator in ["rand", "fastrand", "oorandom", "getrandom"] {
            assert!(!always.contains(generator) && !tests.contains(generator), "{name} depends on {generator}");
        }
    }
}

#[test]
fn the_learner_knows_no_radians_valve_claw_or_servo() {
    for folder in ["crates/encoder/src", "crates/sac/src"] {
        expect_absent(folder, &["radian", "valve", "claw", "servo", "joint"]);
    }
}

#[test]
fn core_environment_and_learner_have_no_clock_files_or_environment_variables() {
    let outside = ["std::fs", "std::io", "std::net", "std::env", "std::process", "Instant::now", "SystemTime"];
    for folder in ["crates/core/src", "crates/env/src", "crates/encoder/src", "crates/sac/src"] {
        expect_absent(folder, &outside);
    }
    // What is computed in the maze is computed; nothing there is drawn but where an episode starts.
    expect_absent("crates/benchmarks/src/maze", &outside);
    // The log writes files; what it writes never depends on when.
    expect_absent("crates/replay/src", &["std::net", "std::env", "std::process", "Instant::now", "SystemTime"]);
    // Codecs read from memory, through the traits of std::io.
    let outside = ["std::fs", "std::net", "std::env", "std::process", "Instant::now", "SystemTime"];
    expect_absent("crates/picture/src", &outside);
}

#[test]
fn threads_are_started_by_the_viewer_and_the_camera_for_themselves_and_by_nobody_else_below_the_program() {
    let folders = [
        "core",
        "sim",
        "env",
        "replay",
        "encoder",
        "sac",
        "benchmarks",
        "gymnasium",
        "picture",
        "claw",
        "claw-emulator",
    ];
    for folder in folders {
        expect_absent(&format!("crates/{folder}/src"), &["thread::spawn", "thread::Builder", "thread::scope"]);
    }
    let starts: Vec<PathBuf> = ["crates/camera/src", "crates/view/src"]
        .into_iter()
        .flat_map(|folder| sources(&Path::new(ROOT).join(folder)))
        .filter(|(_, code)| {
            ["thread::spawn", "thread::Builder", "thread::scope"].iter().any(|word| code.contains(word))
        })
        .map(|(path, _)| path.strip_prefix(ROOT).unwrap().to_owned())
        .collect();
    assert_eq!(starts, [Path::new("crates/camera/src/running.rs"), Path::new("crates/view/src/outlet.rs")]);
}

#[test]
fn nothing_is_async() {
    let folders = [
        "core",
        "sim",
        "env",
        "replay",
        "encoder",
        "sac",
        "benchmarks",
        "view",
        "picture",
        "camera",
        "claw",
        "claw-emulator",
        "gymnasium",
        "turnkey",
        "xtask",
    ];
    for folder in folders {
        expect_absent(&format!("crates/{folder}"), &["async fn", "async move", ".await"]);
    }
}

/// Expects none of `words` in the code of any Rust file under `folder`, whatever its case; comments may say them.
fn expect_absent(folder: &str, words: &[&str]) {
    let sources = sources(&Path::new(ROOT).join(folder));
    assert!(!sources.is_empty(), "{folder} has no sources: has it moved?");
    for (path, code) in sources {
        let code = code.to_lowercase();
        for word in words {
            assert!(!code.contains(&word.to_lowercase()), "{} says {word}", path.display());
        }
    }
}

/// The Rust files under a folder, without their comments.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
            found.push((path, code.collect::<Vec<_>>().join("\n")));
        }
    }
    found
}
