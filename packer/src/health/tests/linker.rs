//! Tests that the program is linked as the author's workspace configures cargo.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{
    health::{inputs::Attempt, *},
    toolchain::Toolchain,
};

const CARGO_TOML: &str = r#"[package]
name = "fixture"
version = "1.2.3"
edition = "2024"

[dependencies]
kernelpack-guest.path = "GUEST"

[workspace]
"#;

const SOURCE: &str = r#"//! A kernel.

/// y = 2 · x.
#[kernelpack_guest::kernel(category = "test")]
pub fn doubles(#[shape(n)] x: &[f32], #[shape(n)] y: &mut [f32]) -> kernelpack_guest::Result<()> {
    y.iter_mut().zip(x).for_each(|(y, x)| *y = 2.0 * x);
    Ok(())
}
"#;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Writes a script in another process, since a program cannot run while this process or a child has it open for
/// writing.
fn script(path: &Path, content: &str) {
    let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$0\" && chmod 755 \"$0\"";
    assert!(Command::new("sh").arg("-c").arg(write).arg(path).arg(content).status().unwrap().success());
}

/// Returns a crate in a workspace of its own, with this repository's lock file, so that nothing needs to be downloaded.
fn author(folder: &Path) -> PathBuf {
    let root = folder.join("crate");
    fs::create_dir_all(root.join("src")).unwrap();
    fs::create_dir_all(root.join(".cargo")).unwrap();
    let guest = repository().join("guest").display().to_string();
    fs::write(root.join("Cargo.toml"), CARGO_TOML.replace("GUEST", &guest)).unwrap();
    fs::write(root.join("src/lib.rs"), SOURCE).unwrap();
    fs::copy(repository().join("Cargo.lock"), root.join("Cargo.lock")).unwrap();
    let updated = Command::new(crate::toolchain::cargo())
        .args(["update", "--workspace", "--offline"])
        .current_dir(&root)
        .output()
        .unwrap();
    assert!(updated.status.success(), "{}", String::from_utf8_lossy(&updated.stderr));
    root
}

fn link(root: &Path, said: &mut Vec<Event>) -> Result<Program, BuildError> {
    let project = Project::find(root, None).unwrap();
    assert!(project.locked && project.has_guest);
    Program::link(&project, &Features::default(), Duration::from_secs(60), &mut Diagnostics::default(), &mut |event| {
        said.push(event)
    })
}

#[test]
fn the_program_is_linked_as_cargo_is_configured_to() {
    let folder = tempfile::tempdir().unwrap();
    let root = author(folder.path());
    let before = fs::read(root.join("Cargo.lock")).unwrap();
    let path = env::var_os("PATH").unwrap();
    let real = env::split_paths(&path).map(|folder| folder.join("cc")).find(|cc| cc.is_file()).unwrap();

    // The default linker does not work.
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).unwrap();
    script(&bin.join("cc"), "echo this linker does not work >&2; exit 1");
    let (wrapper, log) = (folder.path().join("my linker"), folder.path().join("log"));
    script(&wrapper, &format!("echo \"$@\" >> '{}'; exec '{}' \"$@\"", log.display(), real.display()));
    let path = env::join_paths([bin].into_iter().chain(env::split_paths(&path))).unwrap().into_string().unwrap();
    // Kept between runs, so that the dependencies are compiled only once.
    let target = repository().join("target/tmp/health-linker");
    let host = Toolchain::find(&root).unwrap().host;
    let config = format!(
        "[env]\nPATH = {{ value = {path:?}, force = true }}\n[build]\ntarget-dir = {target:?}\n[target.{host}]\n\
         linker = {wrapper:?}\nrustflags = [\"-Clink-arg=-Wl,--defsym=configured=0\"]\n"
    );
    fs::write(root.join(".cargo/config.toml"), config).unwrap();
    let mut said = Vec::new();
    let program = link(&root, &mut said).unwrap_or_else(|error| panic!("{error}: {said:?}"));
    let calls = fs::read_to_string(&log).unwrap();
    let last = calls.lines().last().unwrap();
    assert!(last.contains("reference") && last.contains("--defsym=configured=0"), "{calls}");
    assert!(program.path.starts_with(target.join("kernelpack").canonicalize().unwrap()), "{}", program.path.display());

    let kernel = raw_spec();
    let asked = inputs::make(&kernel.forward, Attempt::ALL[0], false).unwrap();
    program.answer(&kernel, &asked.vector).unwrap().unwrap();
    assert_eq!(fs::read(root.join("Cargo.lock")).unwrap(), before);

    // The crate compiles, including procedural macros; only the program cannot be linked.
    let refuses = "case \"$*\" in *reference*) echo this linker does not work >&2; exit 1;; esac";
    script(&wrapper, &format!("{refuses}; exec '{}' \"$@\"", real.display()));
    let error = link(&root, &mut said).unwrap_err().to_string();
    let start = format!(
        "the functions of \"fixture\" cannot be run on this machine to make health vectors: cargo cannot link a program \
         for {host}. Install the linker that it asks for, or set `linker` under [target.{host}] in .cargo/config.toml \
         to one that works, as for any program on this machine. Cargo says:\n"
    );
    assert!(error.starts_with(&start) && error.contains("this linker does not work"), "{error}");
    assert!(!error.contains("--no-health"), "{error}");
    let left = fs::read_dir(target.join("kernelpack")).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with("health-")).collect();
    assert_eq!(left.len(), 1, "only the program that is still there may be: {left:?}");
}

/// Returns the macro's declaration of the crate's kernel.
fn raw_spec() -> KernelSpecBuf {
    use kernelpack_abi::{DType, Dim, Expr, KernelSpec, Lifecycle, ResourceLimits, Role, Signature, TensorSpec};
    const fn tensor(name: &'static str, role: Role) -> TensorSpec<'static> {
        TensorSpec { name, dtype: DType::F32, role, optional: false, dims: &[Dim::Symbol(0)], len: Expr(&[]) }
    }
    KernelSpecBuf::from(&KernelSpec {
        id: "doubles",
        name: "doubles",
        description: "",
        category: "test",
        family: "test",
        entry_point: "doubles_forward",
        fallback: "",
        limits: ResourceLimits::DEFAULT,
        lifecycle: Lifecycle { init: false, cleanup: false },
        forward: Signature {
            symbols: &["n"],
            tensors: &const { [tensor("x", Role::In), tensor("y", Role::Out)] },
            params: &[],
        },
        backward: None,
        split: &[],
    })
}
