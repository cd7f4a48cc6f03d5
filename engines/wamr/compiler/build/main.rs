//! Compiles WAMR's compiler against LLVM if that is installed; otherwise the program only reports what is missing.

mod llvm;
mod wamr;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(llvm)");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=c");
    let llvm = match llvm::find() {
        Ok(llvm) => llvm,
        Err(missing) => {
            println!("cargo::rustc-env=KERNELPACK_MISSING={missing}");
            return;
        }
    };
    let sources = match kernelpack_wamr_sources::find() {
        Ok(sources) => sources,
        Err(error) => {
            println!("cargo::error={error}");
            return;
        }
    };
    wamr::compile(&sources.root, &llvm);
    llvm.link();
    println!("cargo::rustc-cfg=llvm");
    println!("cargo::rustc-env=KERNELPACK_LLVM={}", llvm.version);
    println!("cargo::rustc-env=KERNELPACK_WAMR={}", sources.version);
}
