//! `kernelpack verify`: checks that a trusted key signed a pack, and that this runtime can load it.

use std::{error::Error, fmt::Write as _, path::PathBuf};

use kernelpack_host::pack::VerifiedPack;
use serde::Serialize;

use crate::{
    engine_arg::EngineArg,
    outcome::Outcome,
    print::{self, one_line},
    trust_args::TrustArgs,
};

/// The arguments of `kernelpack verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Compiles and runs nothing of the pack; `kernelpack health` does. The exit code is 0 only if everything is in order.

Example:
  kernelpack verify pack --trust release.pub

Example: the keys of a trust store, which expire and can be revoked
  kernelpack verify pack --trust-store trust.json

Example: for scripts
  kernelpack verify pack --trust release.pub --json
  {\"verified\": true, \"pack\": \"my-kernels\", \"version\": \"1.0.0\", \"signed_by\": \"ed25519:...\",
   \"signed_by_id\": (the key's id in the trust store, or null), \"content\": \"sha256:...\",
   \"checks\": [{\"name\": \"signature\", \"detail\": \"...\"}, ...], \"kernels\": [\"rmsnorm_f32\", ...]}
  {\"verified\": false, \"error\": \"...\"}")]
pub(crate) struct Args {
    /// Folder of the pack
    #[arg(value_name = "PACK_DIR")]
    pack: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
    /// Print one JSON object, on refusal too
    #[arg(long)]
    json: bool,
}

/// The report on a pack that passed.
#[derive(Debug, Serialize)]
struct Report {
    verified: bool,
    pack: String,
    version: String,
    signed_by: String,
    signed_by_id: Option<String>,
    /// The digest that identifies this version in stores, regardless of the key that signed it.
    content: String,
    checks: Vec<Check>,
    kernels: Vec<String>,
}

/// A check that passed.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    detail: String,
}

/// The report on a pack that did not pass.
#[derive(Debug, Serialize)]
struct Refusal {
    verified: bool,
    error: String,
}

/// Verifies the pack.
pub(crate) fn run(args: &Args) -> Outcome {
    match verify(args) {
        Ok(report) if args.json => print::json(&report)?,
        Ok(report) => print::data(report.to_text())?,
        Err(error) => {
            if args.json {
                print::json(&Refusal { verified: false, error: print::message(&*error) })?;
            }
            return Err(error);
        }
    }
    Ok(())
}

fn verify(args: &Args) -> Result<Report, Box<dyn Error>> {
    let runtime = args.trust.setup(EngineArg::Wasmtime)?.build()?;
    let pack = VerifiedPack::open(&args.pack, &runtime.verifier())?;
    let ours = runtime.compatibility();
    pack.check_compatibility(ours)?;
    let signed = pack.signed_manifest();
    let manifest = signed.manifest();

    let signer = signed.signer();
    let mut checks = Vec::new();
    let mut check = |name, detail| checks.push(Check { name, detail });
    check("signature", format!("kernels.json is signed by the trusted key {signer}"));
    check("manifest", "well-formed and consistent".to_owned());
    let modules: usize = pack.kernels().iter().map(|kernel| kernel.modules().count()).sum();
    let vectors: usize = pack.kernels().iter().map(|kernel| kernel.vectors().len()).sum();
    check("files", format!("all {modules} modules and {vectors} health vectors are present, and nothing else"));
    check("hashes", "each module has the SHA-256 that the manifest gives".to_owned());
    check("modules", "no imports; exports, limits and descriptions agree with the manifest".to_owned());
    check("vectors", "each health vector has its SHA-256 and is a call of its kernel; none was run".to_owned());
    let native = manifest.kernels.iter().flat_map(|kernel| kernel.aot_files()).count();
    if native > 0 {
        let trust = if signer.native { "is trusted for native code" } else { "is trusted for modules only" };
        check("native", format!("{native} compiled files are what their entries say; their signer {trust}"));
    }
    check(
        "compatibility",
        format!(
            "runtime {} is within {} to {}; {} {} has everything that the modules need",
            ours.runtime_version,
            manifest.min_runtime_version,
            manifest.max_runtime_version,
            ours.engine,
            ours.engine_version
        ),
    );
    Ok(Report {
        verified: true,
        pack: manifest.name.clone(),
        version: manifest.version.to_string(),
        signed_by: signer.key.id(),
        signed_by_id: signer.id.clone(),
        content: signed.content().to_string(),
        checks,
        kernels: manifest.kernels.iter().map(|kernel| kernel.id.clone()).collect(),
    })
}

impl Report {
    fn to_text(&self) -> String {
        let Self { pack, version, signed_by, signed_by_id, content, checks, kernels, .. } = self;
        let signer = signed_by_id.as_ref().map_or_else(|| signed_by.clone(), |id| format!("{id} ({signed_by})"));
        let mut text = format!("{} {version}\n", one_line(pack));
        // Writing to a string cannot fail.
        for Check { name, detail } in checks {
            let _ = writeln!(text, "  ok  {name:14} {detail}");
        }
        let _ = writeln!(text, "signed by {signer}\ncontent {content}\nkernels: {}\nverified", kernels.join(", "));
        text
    }
}
