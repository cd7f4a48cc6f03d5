//! Builds crates on disk to packs on disk, with a real cargo and compiler.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use common::{files, openssl_verifies};
use kernelpack_abi::{
    DType, Dim, Expr, KernelSpec, Lifecycle, ParamSpec, ParamType, ParamValue, ResourceLimits, Role, Signature,
    TensorSpec, section,
};
use kernelpack_manifest::{KernelPackVerifier, Manifest, SecretKey};
use kernelpack_packer::{BuildError, BuildOptions, Built, Event, Features, Health, Signing, Warning, build};
use tempfile::TempDir;

const fn spec(id: &'static str, fallback: &'static str) -> KernelSpec<'static> {
    const fn tensor(name: &'static str, role: Role) -> TensorSpec<'static> {
        TensorSpec { name, dtype: DType::F32, role, optional: false, dims: &[Dim::Symbol(0)], len: Expr(&[]) }
    }
    KernelSpec {
        id,
        name: "Doubling",
        description: "Doubles.",
        category: "arithmetic",
        family: "double",
        entry_point: "double_forward",
        fallback,
        limits: ResourceLimits {
            max_memory_pages: 64,
            max_epoch_ticks: 100,
            max_table_elements: 64,
            ..ResourceLimits::DEFAULT
        },
        lifecycle: Lifecycle { init: false, cleanup: false },
        forward: Signature {
            symbols: &["n"],
            tensors: &[const { tensor("x", Role::In) }, const { tensor("y", Role::Out) }],
            params: &[ParamSpec { name: "by", ty: ParamType::F32, default: Some(ParamValue::F32(2.0)) }],
        },
        backward: None,
        split: &[],
    }
}

const FIRST: KernelSpec<'static> = spec("double_f32", "double_reference");
const SECOND: KernelSpec<'static> = spec("another_f32", "");
const WRITER: &str = "fixture 1.2.3";
const FIRST_ENTRY: [u8; section::encoded_len(&FIRST, WRITER)] = section::encode(&FIRST, WRITER);
const SECOND_ENTRY: [u8; section::encoded_len(&SECOND, WRITER)] = section::encode(&SECOND, WRITER);

const CARGO_TOML: &str = r#"[package]
name = "fixture"
version = "1.2.3"
edition = "2024"
description = "Kernels for a test"
authors = ["A B <a@b.example>"]

[package.metadata.kernelpack]
name = "fixture-kernels"
min-runtime-version = "0.1.0"

[workspace]
"#;

/// Returns the code that `#[kernel]` would generate, written by hand. It can panic, since panics contain paths.
fn source() -> String {
    let mut source = String::from(
        "#[unsafe(no_mangle)] pub static kernel_message: [u32; 65] = [0; 65];\n\
         #[inline(never)] pub fn at(map: &std::collections::BTreeMap<i32, i32>, i: i32) -> i32 { map[&i] }\n",
    );
    for (spec, entry) in [(FIRST, FIRST_ENTRY.as_slice()), (SECOND, &SECOND_ENTRY)] {
        let (id, len) = (spec.id, entry.len());
        source += &format!(
            "#[used] #[unsafe(link_section = \"kernelpack.spec\")]\n\
             pub static SPEC_{id}: [u8; {len}] = {entry:?};\n\
             #[unsafe(no_mangle)] pub extern \"C\" fn __kernelpack_forward_{id}(desc: i32) -> i32 {{\n\
             let map = std::collections::BTreeMap::from([(desc, 0)]); at(&map, desc * 2) }}\n\
             #[unsafe(no_mangle)] pub extern \"C\" fn __kernelpack_info_{id}(info: i32) -> i32 {{ info }}\n"
        );
    }
    source
}

/// A crate in its own folder.
struct Fixture {
    folder: TempDir,
    key: SecretKey,
}

impl Fixture {
    fn new(cargo_toml: &str, source: &str) -> Self {
        Self::in_folder("crate", cargo_toml, source)
    }

    fn in_folder(name: &str, cargo_toml: &str, source: &str) -> Self {
        let folder = tempfile::Builder::new().prefix(name).tempdir().unwrap();
        let root = folder.path().join("crate");
        fs::create_dir_all(root.join("src")).unwrap();
        fs::write(root.join("Cargo.toml"), cargo_toml).unwrap();
        fs::write(root.join("src/lib.rs"), source).unwrap();
        Self { folder, key: SecretKey::from_seed([7; 32]) }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("crate")
    }

    fn pack(&self) -> PathBuf {
        self.folder.path().join("pack")
    }

    fn options(&self) -> BuildOptions {
        BuildOptions {
            crate_dir: self.root(),
            package: None,
            features: Features::default(),
            out_dir: self.pack(),
            health: Health::default(),
            // Skips the build without SIMD, which takes half of the time, in tests that do not depend on it.
            scalar: false,
            signing: Signing::Now(self.key.clone()),
        }
    }

    fn with_scalar(&self) -> BuildOptions {
        BuildOptions { scalar: true, ..self.options() }
    }

    fn build(&self) -> (Result<Built, BuildError>, Vec<Event>) {
        build_with(&self.options())
    }

    fn error(&self) -> String {
        self.build().0.unwrap_err().to_string()
    }

    fn commit(&self) {
        for args in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "--message", "x"]] {
            let output = Command::new("git")
                .args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"])
                .args(args)
                .env("GIT_COMMITTER_DATE", "1700000000 +0000")
                .current_dir(self.root())
                .output()
                .unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

fn build_with(options: &BuildOptions) -> (Result<Built, BuildError>, Vec<Event>) {
    let mut events = Vec::new();
    let result = build(options, &mut |event| events.push(event));
    (result, events)
}

#[test]
fn a_crate_becomes_a_signed_pack() {
    let fixture = Fixture::new(CARGO_TOML, &source());
    fixture.commit();
    let (built, events) = build_with(&fixture.with_scalar());
    let built = built.unwrap_or_else(|error| panic!("{error}: {events:?}"));

    let pack = files(&fixture.pack());
    let names: Vec<_> = pack.iter().map(|(name, _)| name.as_str()).collect();
    let modules = ["another_f32.scalar", "another_f32", "double_f32.scalar", "double_f32"];
    let modules = modules.map(|name| format!("double/{name}.wasm"));
    assert_eq!(names[..4], modules);
    assert_eq!(names[4..], ["kernels.json", "kernels.json.sig"]);
    let packed = events.iter().filter_map(|event| match event {
        Event::Packing { path, .. } => Some(path.as_str()),
        _ => None,
    });
    let [a, b, c, d] = &modules;
    assert_eq!(packed.collect::<Vec<_>>(), [b, a, d, c]);
    let read = |name: &str| pack.iter().find(|(found, _)| found == name).unwrap().1.as_slice();

    let verifier = KernelPackVerifier::new([fixture.key.public()]);
    let signed = verifier.verify(read("kernels.json"), read("kernels.json.sig"), SystemTime::now()).unwrap();
    for id in ["double_f32", "another_f32"] {
        let wasm = read(&format!("double/{id}.wasm")).to_vec();
        signed.verify_module(id, wasm).unwrap();
        let wasm = read(&format!("double/{id}.scalar.wasm")).to_vec();
        signed.verify_module_for(id, "wamr", wasm).unwrap();
    }
    assert_ne!(openssl_verifies(&fixture.pack(), &fixture.key.public()), Some(false));

    let manifest = Manifest::parse(read("kernels.json")).unwrap();
    assert_eq!(manifest, built.manifest);
    assert_eq!((manifest.name.as_str(), manifest.version.to_string().as_str()), ("fixture-kernels", "1.2.3"));
    assert_eq!(manifest.description, "Kernels for a test");
    assert_eq!((manifest.author.name.as_str(), manifest.author.email.as_deref()), ("A B", Some("a@b.example")));
    assert_eq!(manifest.author.signing_key, fixture.key.public().id());
    if std::env::var_os("SOURCE_DATE_EPOCH").is_none() {
        assert_eq!(manifest.created_at, "2023-11-14T22:13:20Z");
    }
    let ids: Vec<_> = manifest.kernels.iter().map(|kernel| kernel.id.as_str()).collect();
    assert_eq!(ids, ["another_f32", "double_f32"]);
    assert_eq!(manifest.fallbacks.get("double_f32").map(String::as_str), Some("double_reference"));
    assert_eq!(manifest.fallbacks.len(), 1);
    assert_eq!(manifest.kernels[0].platforms["wasmtime"].min_version.to_string(), "48.0.0");
    assert_eq!(manifest.kernels[0].platforms["wamr"].min_version.to_string(), "2.4.3");

    let no_lock = |event: &Event| matches!(event, Event::Warning(Warning::NoLockFile { .. }));
    assert!(events.iter().any(no_lock), "{events:?}");
    assert!(!events.iter().any(|event| matches!(event, Event::Warning(Warning::MachinePath { .. }))), "{events:?}");
    assert!(!fixture.build().1.iter().any(no_lock), "the first build wrote a lock file");
}

#[test]
fn equal_sources_in_different_folders_give_equal_packs() {
    // Uses a package outside the workspace, since rustc gets its absolute path. The package panics, which keeps the
    // path in the module.
    let source = source().replace("map[&i]", "dep::at(&[map[&i]], i as usize)");
    let packs = ["a", "quite another folder"].map(|name| {
        let cargo_toml = CARGO_TOML.replace("[workspace]", "[dependencies]\ndep.path = \"../dep\"\n[workspace]");
        let fixture = Fixture::in_folder(name, &cargo_toml, &source);
        let dep = fixture.folder.path().join("dep");
        fs::create_dir_all(dep.join("src")).unwrap();
        fs::write(dep.join("Cargo.toml"), "[package]\nname = \"dep\"\nversion = \"0.1.0\"\n").unwrap();
        let at = "#[inline(never)] pub fn at(of: &[i32], i: usize) -> i32 { of[i] + file!().as_bytes()[i] as i32 }";
        fs::write(dep.join("src/lib.rs"), at).unwrap();
        fixture.commit();
        let (built, events) = build_with(&fixture.with_scalar());
        built.unwrap_or_else(|error| panic!("{error}: {events:?}"));
        let pack = files(&fixture.pack());
        let module = &pack.iter().find(|(name, _)| name.ends_with("double_f32.wasm")).unwrap().1;
        assert!(module.windows(9).any(|bytes| bytes == b"/path/dep"), "no path is left, so the test tests nothing");
        pack
    });
    assert!(packs[0] == packs[1], "the bytes depend on the folder");
}

#[test]
fn a_workspaces_profile_does_not_reach_the_bytes() {
    let source = source().replace("map[&i]", "dep::at(map[&i])");
    let packs = [
        "",
        "[profile.release]\nopt-level = 0\noverflow-checks = true\n",
        "[profile.release.package.\"*\"]\nopt-level = 0\ndebug-assertions = true\ncodegen-units = 16\n",
        "[profile.release.package.dep]\noverflow-checks = true\ndebug = 2\n",
    ]
    .map(|profile| {
        let with_dep = CARGO_TOML.replace("[workspace]", "[dependencies]\ndep.path = \"../dep\"\n[workspace]");
        let fixture = Fixture::new(&format!("{with_dep}{profile}"), &source);
        let dep = fixture.folder.path().join("dep");
        fs::create_dir_all(dep.join("src")).unwrap();
        fs::write(dep.join("Cargo.toml"), "[package]\nname = \"dep\"\nversion = \"0.1.0\"\n").unwrap();
        let at = "#[inline(never)] pub fn at(of: i32) -> i32 { debug_assert!(of < 7); (of + 1) * of }";
        fs::write(dep.join("src/lib.rs"), at).unwrap();
        fixture.commit();
        let (built, events) = fixture.build();
        built.unwrap_or_else(|error| panic!("{error}: {events:?}"));
        (profile, files(&fixture.pack()))
    });
    for (profile, pack) in &packs {
        assert!(*pack == packs[0].1, "{profile}");
    }
}

#[test]
fn a_pack_may_be_left_for_somebody_else_to_sign() {
    let fixture = Fixture::new(CARGO_TOML, &source());
    let options = BuildOptions { signing: Signing::Later(fixture.key.public()), ..fixture.options() };
    let (built, events) = build_with(&options);
    built.unwrap();
    let warned = events.iter().any(|event| matches!(event, Event::Warning(Warning::NoDate { .. })));
    assert_eq!(warned, std::env::var_os("SOURCE_DATE_EPOCH").is_none());
    assert!(!fixture.pack().join("kernels.json.sig").exists());
    kernelpack_packer::sign(&fixture.pack(), &fixture.key).unwrap();
    assert_ne!(openssl_verifies(&fixture.pack(), &fixture.key.public()), Some(false));
}

#[test]
fn a_crate_that_does_not_compile_leaves_the_old_pack() {
    let fixture = Fixture::new(CARGO_TOML, "fn main( {");
    fs::create_dir(fixture.pack()).unwrap();
    fs::write(fixture.pack().join("kernels.json"), "old").unwrap();
    let (result, events) = fixture.build();
    assert_eq!(
        result.unwrap_err().to_string(),
        "cargo could not compile \"fixture\" (exit code 101): see its messages above"
    );
    let said = events.iter().any(|event| matches!(event, Event::Cargo { line } if line.contains("src/lib.rs:1:")));
    assert!(said, "the author does not see the compiler's error: {events:?}");
    assert_eq!(files(&fixture.pack()), [("kernels.json".into(), b"old".to_vec())]);
    let mut names: Vec<_> =
        fs::read_dir(fixture.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["crate", "pack"], "something was left behind");
}

/// Returns the features and the size of the shadow stack of a kernel's module.
fn facts(fixture: &Fixture, manifest: &Manifest, engine: &str) -> (Vec<&'static str>, u32) {
    let module = manifest.kernel("double_f32").unwrap().module_for(engine);
    let wasm = fs::read(fixture.pack().join(module.path)).unwrap();
    let facts = kernelpack_manifest::module::check(&wasm, &(&FIRST).into()).unwrap();
    (facts.required_features.into_iter().collect(), facts.heap_base)
}

#[test]
fn the_module_for_engines_without_simd_has_none_and_a_small_stack() {
    let loops = "fn __kernelpack_forward_double_f32(desc: i32) -> i32 {";
    assert!(source().contains(loops));
    let adds = "let mut a = [desc as f32; 64]; for i in 0..64 { a[i] *= a[63 - i]; } \
                if core::hint::black_box(a)[7] > 0.5 { return 1; }";
    let source = source().replace(loops, &format!("{loops} {adds}"));
    let fixture = Fixture::new(CARGO_TOML, &source);
    let manifest = build_with(&fixture.with_scalar()).0.unwrap().manifest;
    let (simd, scalar) = (facts(&fixture, &manifest, "wasmtime"), facts(&fixture, &manifest, "wamr"));
    assert!(simd.0.contains(&"simd"), "{simd:?}, so the test tests nothing");
    assert!(!scalar.0.iter().any(|feature| feature.ends_with("simd")), "{scalar:?}");
    for (engine, features) in [("wasmtime", simd.0), ("wamr", scalar.0)] {
        assert_eq!(manifest.kernel("double_f32").unwrap().platforms[engine].features, features);
    }
    assert!(simd.1 > 1 << 20 && (32 << 10..48 << 10).contains(&scalar.1), "{} {}", simd.1, scalar.1);

    let cargo_toml = CARGO_TOML.replace("min-runtime", "scalar-stack-bytes = 8192\nmin-runtime");
    fs::write(fixture.root().join("Cargo.toml"), &cargo_toml).unwrap();
    let manifest = build_with(&fixture.with_scalar()).0.unwrap().manifest;
    let smaller = facts(&fixture, &manifest, "wamr").1;
    assert_eq!(scalar.1 - smaller, (32 << 10) - 8192);
    for bad in ["0", "4095", "8193", "16777232", "-1"] {
        fs::write(fixture.root().join("Cargo.toml"), cargo_toml.replace("8192", bad)).unwrap();
        assert!(fixture.error().contains("scalar-stack-bytes"), "{bad}");
    }
}

#[test]
fn what_a_crate_lacks_without_simd_is_told() {
    let refused = "#[cfg(not(target_feature = \"simd128\"))] compile_error!(\"needs SIMD\");";
    let fixture = Fixture::new(CARGO_TOML, &(source() + refused));
    let error = build_with(&fixture.with_scalar()).0.unwrap_err().to_string();
    assert!(error.starts_with("cargo could not compile \"fixture\" without SIMD (exit code 101): "), "{error}");
    let manifest = fixture.build().0.unwrap().manifest;
    assert_eq!(manifest.kernels[0].platforms.keys().collect::<Vec<_>>(), ["wasmtime"]);

    // Declares one kernel only in the build with SIMD; the rest of the pack is as usual.
    let only = "#[cfg(target_feature = \"simd128\")]\n#[used]";
    let at = "#[used] #[unsafe(link_section = \"kernelpack.spec\")]\npub static SPEC_another_f32";
    let hide = "#[unsafe(no_mangle)] pub extern \"C\" fn __kernelpack_";
    assert!(source().contains(at));
    let source = source()
        .replace(at, &at.replace("#[used]", only))
        .replace(hide, "__PLAIN__")
        .replace("__PLAIN__forward_a", &format!("#[cfg(target_feature = \"simd128\")] {hide}forward_a"))
        .replace("__PLAIN__info_a", &format!("#[cfg(target_feature = \"simd128\")] {hide}info_a"))
        .replace("__PLAIN__", hide);
    let fixture = Fixture::new(CARGO_TOML, &source);
    let (built, events) = build_with(&fixture.with_scalar());
    let manifest = built.unwrap_or_else(|error| panic!("{error}: {events:?}")).manifest;
    assert_eq!(manifest.kernel("another_f32").unwrap().platforms.keys().collect::<Vec<_>>(), ["wasmtime"]);
    assert!(manifest.kernel("double_f32").unwrap().platforms.contains_key("wamr"));
    let warned = Event::Warning(Warning::NoScalar { kernel: "another_f32".into() });
    assert!(events.contains(&warned), "{events:?}");
}

#[test]
fn a_crate_without_kernels_says_how_to_get_one() {
    let error = Fixture::new(CARGO_TOML, "pub fn f() {}").error();
    assert!(error.ends_with("fixture.wasm declares no kernel: annotate a function with #[kernel]"), "{error}");
}

#[test]
fn an_import_is_refused_with_the_kernel_that_has_it() {
    let info = "fn __kernelpack_info_double_f32(info: i32) -> i32 {";
    assert!(source().contains(info));
    let source = source().replace(info, &format!("{info} return unsafe {{ print(info) }};"))
        + "#[link(wasm_import_module = \"host\")] unsafe extern \"C\" { fn print(i: i32) -> i32; }";
    let fixture = Fixture::new(CARGO_TOML, &source);
    let error = fixture.error();
    let expected = "the module of kernel \"double_f32\" is refused: it imports the function \"host\".\"print\", ";
    assert!(error.starts_with(expected), "{error}");
    assert!(!fixture.pack().exists());
}

#[test]
fn a_path_of_the_machine_is_warned_of() {
    let source = source().replace("map[&i]", "env!(\"CARGO_MANIFEST_DIR\").as_bytes()[map[&i] as usize].into()");
    let (built, events) = Fixture::new(CARGO_TOML, &source).build();
    built.unwrap();
    assert!(events.iter().any(|event| matches!(event, Event::Warning(Warning::MachinePath { .. }))), "{events:?}");
}

#[test]
fn what_is_not_a_pack_is_refused_before_the_compiler_runs() {
    let fixture = Fixture::new(CARGO_TOML, &source());
    let options = BuildOptions { out_dir: fixture.root(), ..fixture.options() };
    let (result, events) = build_with(&options);
    let error = result.unwrap_err().to_string();
    assert!(error.contains("is not a pack (") && error.contains("nothing was changed"), "{error}");
    assert_eq!(events, []);
    assert!(fixture.root().join("src/lib.rs").exists());
}

#[test]
fn a_crate_as_cargo_new_makes_it_is_packed_with_a_warning() {
    let cargo_toml = CARGO_TOML.replace("authors = [\"A B <a@b.example>\"]\n", "");
    let fixture = Fixture::new(&cargo_toml, &source());
    let (built, events) = fixture.build();
    assert_eq!(built.unwrap_or_else(|error| panic!("{error}: {events:?}")).manifest.author.name, "unknown");
    let manifest = fixture.root().join("Cargo.toml").canonicalize().unwrap();
    let warned: Vec<_> = warnings(&events).into_iter().filter(|text| text.contains("author")).collect();
    let expected = format!(
        "the package \"fixture\" names no author, so the pack says \"unknown\": set authors = [\"Name <mail>\"] under \
         [package] in {}",
        manifest.display()
    );
    assert_eq!(warned, [expected]);
    // Both ways of naming an author work.
    let named = cargo_toml.replace("min-runtime", "author.name = \"C\"\nmin-runtime");
    for (cargo_toml, name) in [(CARGO_TOML, "A B"), (&named, "C")] {
        fs::write(fixture.root().join("Cargo.toml"), cargo_toml).unwrap();
        let (built, events) = fixture.build();
        assert_eq!(built.unwrap().manifest.author.name, name);
        assert!(!warnings(&events).iter().any(|text| text.contains("author")), "{events:?}");
    }
}

fn warnings(events: &[Event]) -> Vec<String> {
    let warnings = events.iter().filter_map(|event| match event {
        Event::Warning(warning) => Some(warning.to_string()),
        _ => None,
    });
    warnings.collect()
}

#[test]
fn each_warning_of_the_compiler_is_told_once() {
    let more = "fn nobody_calls_this() {}\n#[cfg(not(target_feature = \"simd128\"))]\nfn nor_this_without_simd() {}\n";
    let fixture = Fixture::new(CARGO_TOML, &(source() + more));
    let script = "fn main() { println!(\"cargo::warning=the script warns\"); }";
    fs::write(fixture.root().join("build.rs"), script).unwrap();
    // Builds twice, since the second time cargo finds everything up to date and repeats the compiler's messages.
    for _ in 0..2 {
        let (built, events) = build_with(&fixture.with_scalar());
        built.unwrap_or_else(|error| panic!("{error}: {events:?}"));
        let told = |part: &str| {
            let lines = events.iter().filter(|event| matches!(event, Event::Cargo { line } if line.contains(part)));
            lines.count()
        };
        assert_eq!(told("warning: function `nobody_calls_this` is never used"), 1, "{events:?}");
        assert_eq!(told("fn nobody_calls_this() {}"), 1, "{events:?}");
        assert_eq!(told("warning: function `nor_this_without_simd` is never used"), 1, "{events:?}");
        assert_eq!(told("the script warns"), 1, "{events:?}");
        assert_eq!(told("Finished"), 2, "{events:?}");
    }
}

#[test]
fn a_module_with_simd_where_none_should_be_is_left_out_with_a_warning() {
    let body = "fn __kernelpack_forward_double_f32(desc: i32) -> i32 {";
    assert!(source().contains(body));
    let uses = "#[inline(never)] #[target_feature(enable = \"simd128\")] pub fn lanes(i: i32) -> i32 {\n\
                use core::arch::wasm32::*; i32x4_extract_lane::<2>(i32x4_mul(i32x4_splat(i), i32x4(1, 2, 3, 4))) }\n";
    let source = source().replace(body, &format!("{body} if desc > 9 {{ return unsafe {{ lanes(desc) }}; }}")) + uses;
    let fixture = Fixture::new(CARGO_TOML, &source);
    let (built, events) = build_with(&fixture.with_scalar());
    let manifest = built.unwrap_or_else(|error| panic!("{error}: {events:?}")).manifest;
    assert_eq!(manifest.kernel("double_f32").unwrap().platforms.keys().collect::<Vec<_>>(), ["wasmtime"]);
    assert!(!fixture.pack().join("double/double_f32.scalar.wasm").exists());
    let warned: Vec<_> =
        warnings(&events).into_iter().filter(|text| text.contains("\"double_f32\" uses SIMD")).collect();
    let [warned] = &warned[..] else { panic!("{warned:?}") };
    let start = "\"double_f32\" uses SIMD even in the build without it";
    assert!(warned.starts_with(start), "{warned}");
    assert!(warned.contains("behind #[cfg(target_feature = \"simd128\")]"), "{warned}");
    // Nothing is reported if such modules were not requested.
    assert!(!warnings(&fixture.build().1).iter().any(|text| text.contains("SIMD")));
}

#[test]
fn a_crate_that_cannot_be_packed_is_refused_with_the_remedy() {
    let manifest = |from: &str, to: &str| {
        assert!(CARGO_TOML.contains(from));
        Fixture::new(&CARGO_TOML.replace(from, to), &source())
    };
    let error = manifest("min-runtime-version", "min-runtime").error();
    assert!(error.contains("at min-runtime: unknown field `min-runtime`, expected one of `name`, "), "{error}");

    let fixture = Fixture::new(CARGO_TOML, "fn main() {}");
    fs::rename(fixture.root().join("src/lib.rs"), fixture.root().join("src/main.rs")).unwrap();
    let error = fixture.error();
    assert!(error.ends_with("has no library: move its kernels to src/lib.rs"), "{error}");

    let fixture = Fixture::new(CARGO_TOML, &source());
    let options = BuildOptions { package: Some("other".into()), ..fixture.options() };
    let error = build_with(&options).0.unwrap_err().to_string();
    assert!(error.ends_with("has no package \"other\": it has fixture"), "{error}");

    fs::remove_file(fixture.root().join("Cargo.toml")).unwrap();
    let error = fixture.error();
    assert!(error.ends_with("has no Cargo.toml: give the folder of a crate"), "{error}");

    let error = Fixture::new("this is no toml", "").error();
    assert!(error.starts_with("cargo cannot read "), "{error}");
}

#[test]
fn a_lock_file_that_is_out_of_date_comes_with_the_remedy() {
    let fixture = Fixture::new(CARGO_TOML, &source());
    fixture.build().0.unwrap();
    let dep = fixture.root().join("dep");
    fs::create_dir_all(dep.join("src")).unwrap();
    fs::write(dep.join("Cargo.toml"), "[package]\nname = \"dep\"\nversion = \"0.1.0\"\n").unwrap();
    fs::write(dep.join("src/lib.rs"), "").unwrap();
    let lock_file = fixture.root().join("Cargo.lock");
    let before = fs::read(&lock_file).unwrap();
    fs::write(fixture.root().join("Cargo.toml"), format!("{CARGO_TOML}[dependencies]\ndep.path = \"dep\"\n")).unwrap();
    assert_eq!(
        fixture.error(),
        format!(
            "{} is out of date: run `cargo update --workspace` (or `cargo build`) there and commit it",
            lock_file.canonicalize().unwrap().display()
        )
    );
    assert_eq!(fs::read(&lock_file).unwrap(), before);
}

#[test]
fn a_workspace_without_a_package_names_its_members() {
    let fixture = Fixture::new("[workspace]\nmembers = [\"one\"]\n", "");
    let member = fixture.root().join("one");
    fs::create_dir_all(member.join("src")).unwrap();
    fs::write(member.join("Cargo.toml"), CARGO_TOML.replace("[workspace]", "")).unwrap();
    fs::write(member.join("src/lib.rs"), source()).unwrap();
    let error = fixture.error();
    assert!(error.ends_with("give the folder of a member, or name one of its packages: fixture"), "{error}");

    let options = BuildOptions { package: Some("fixture".into()), ..fixture.options() };
    build_with(&options).0.unwrap();
    assert!(Path::new(&fixture.pack().join("kernels.json")).exists());
}
