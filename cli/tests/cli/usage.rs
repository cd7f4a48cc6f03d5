//! Exit codes and messages that need no pack.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::fixture::{Ran, built, program, run_in};

#[test]
fn wrong_command_lines_are_usage_errors() {
    let run = "run p k --trust a.pub --output o";
    for line in [
        "fly",
        "keygen",
        "keygen a b",
        "build c --out p",
        "build c --key a.key",
        "build c --out p --key a.key --unsigned-for a.pub",
        "sign p",
        "verify p",
        "verify --trust a.pub",
        "health p",
        "inspect",
        "inspect p --yaml",
        "run p --trust a.pub --output o",
        "run p k --output o",
        "run p k --trust a.pub",
        &format!("{run} --input x"),
        &format!("{run} --input =f"),
        &format!("{run} --input x="),
        &format!("{run} --param eps"),
        &format!("{run} --param eps="),
        &format!("{run} --max-ticks 0"),
        "trust trust.json",
        "trust add s --id a",
        "trust add s --key a.pub",
        "trust add s --id a --key a.pub --not-after tomorrow",
        "trust add s --id a --key a.pub --not-after 2027-06-30",
        "trust expire s --id a",
        "trust revoke s --id a",
        "trust revoke s --reason x",
        "trust list",
        "bench p",
        "bench --trust a.pub",
        "bench p --trust a.pub --shape 64x4096",
        "bench p k --trust a.pub --shape 64x0",
        "bench p k --trust a.pub --open",
        "bench p --trust a.pub --open --no-cache",
        &format!("{run} --cache c --no-cache"),
    ] {
        let ran = run_in(Path::new("."), line);
        assert_eq!(ran.code, 2, "{line}: {ran:?}");
        assert!(ran.stderr.starts_with("error: ") && ran.stdout.is_empty(), "{line}: {ran:?}");
    }
    assert_eq!(Ran::from(program().output().unwrap()).code, 2);
    // Without a subcommand, the list of subcommands is shown, without an error.
    assert_eq!(run_in(Path::new("."), "trust").code, 2);
}

#[test]
fn help_and_version_succeed() {
    let version = run_in(Path::new("."), "--version").succeeded();
    assert_eq!(version.stdout, concat!("kernelpack ", env!("CARGO_PKG_VERSION"), "\n"));
    for command in ["keygen", "build", "sign", "verify", "inspect", "run", "trust", "bench"] {
        let help = run_in(Path::new("."), &format!("{command} --help")).succeeded();
        assert!(help.stdout.contains(&format!("Usage: kernelpack {command} ")), "{help:?}");
        assert!(help.stdout.contains("Example"), "{help:?}");
    }
    for command in ["add", "expire", "revoke", "list"] {
        let help = run_in(Path::new("."), &format!("trust {command} --help")).succeeded();
        assert!(help.stdout.contains(&format!("Usage: kernelpack trust {command} ")), "{help:?}");
        assert!(help.stdout.contains("Example"), "{help:?}");
    }
}

#[test]
fn cargo_passes_the_name_of_the_subcommand() {
    let cargo = |line: &str| -> Ran {
        let program = env!("CARGO_BIN_EXE_cargo-kernelpack");
        Command::new(program).args(line.split(' ')).output().unwrap().into()
    };
    let help = cargo("kernelpack inspect --help").succeeded();
    assert!(help.stdout.contains("Usage: cargo kernelpack inspect "), "{help:?}");
    assert_eq!(cargo("kernelpack fly").code, 2);
    // The program also runs directly, and a pack may be called kernelpack.
    assert!(cargo("inspect kernelpack").error().contains("kernelpack"));
}

#[test]
fn missing_files_are_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let said = |line: &str| run_in(folder.path(), line).error().to_owned();
    run_in(folder.path(), "keygen a").succeeded();
    for (line, missing) in [
        ("keygen no/a", "no/a.key"),
        ("build no --out p --key a.key", "no"),
        ("build . --out p --key no.key", "no.key"),
        ("build . --out p --key a.key", "no Cargo.toml"),
        ("sign no --key a.key", "no/kernels.json"),
        ("verify no --trust a.pub", "\"no\""),
        ("verify . --trust no.pub", "no.pub"),
        ("verify . --trust a.key", "give the .pub file"),
        ("verify . --trust a.pub", "kernels.json"),
        ("verify . --trust-store no.json", "\"no.json\""),
        ("verify . --trust-store a.pub", "trust store \"a.pub\": it cannot be read"),
        ("verify . --trust-store .", "not a regular file"),
        ("trust add no/trust.json --id a --key a.pub", "cannot write no/trust.json"),
        ("trust add trust.json --id a --key no.pub", "no.pub"),
        ("trust add trust.json --id a --key a.key", "give the .pub file"),
        ("trust expire no.json --id a --not-after 2027-06-30T00:00:00Z", "\"no.json\""),
        ("trust revoke no.json --id a --reason x", "\"no.json\""),
        ("trust list no.json", "\"no.json\""),
        ("inspect no", "\"no\""),
        ("inspect . --trust-store no.json", "kernels.json"),
        ("inspect .", "kernels.json"),
        ("inspect a.pub", "a.pub"),
        ("run no k --trust a.pub --output o", "\"no\""),
        ("bench no --trust a.pub", "\"no\""),
        ("bench no --write", "\"no\""),
    ] {
        let said = said(line);
        assert!(said.contains(missing), "{line}: {said}");
    }
}

#[test]
fn a_reader_may_leave_early() {
    for line in ["inspect pack", "inspect pack --json", "verify pack --trust release.pub", "--help"] {
        let mut child = program()
            .args(line.split(' '))
            .current_dir(built())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{line}: {ran:?}");
    }
}
