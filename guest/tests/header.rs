//! Checks the C header against the ABI with a C compiler.
#![cfg(not(miri))]

use std::{
    fmt::Write as _,
    io::Write as _,
    mem::offset_of,
    process::{Command, Stdio},
};

use kernelpack_abi::{
    ABI_VERSION, BlockQ4_0, BlockQ8_0, DType, KernelDescriptor, KernelInfo, MAX_RANK, MAX_TENSORS, MESSAGE_CAPACITY,
    Role, Status, TENSOR_ALIGN, params,
    params::{ParamsHeader, TensorEntry},
};

/// Lets the system's C compiler check a translation unit; its messages are the error.
fn compile(source: &str) -> Result<(), String> {
    let mut cc = Command::new("cc")
        .args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-x", "c", "-I"])
        .args([concat!(env!("CARGO_MANIFEST_DIR"), "/include"), "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a C compiler called cc");
    cc.stdin.take().expect("its input is a pipe").write_all(source.as_bytes()).expect("it reads its input");
    let output = cc.wait_with_output().expect("it ends");
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

#[test]
fn the_header_compiles_alone_and_twice() {
    compile("#include \"kernelpack.h\"\n#include \"kernelpack.h\"\nint kernelpack;\n").unwrap();
}

#[test]
fn the_part_for_guests_compiles() {
    let head = "#define __wasm32__ 1\n#include \"kernelpack.h\"\n";
    let body = "
        int32_t forward(const kp_descriptor *descriptor);
        int32_t forward(const kp_descriptor *descriptor) {
            const kp_params_header *params = kp_params(descriptor);
            if (params->version != KP_PARAMS_VERSION || descriptor->params_offset < (uintptr_t)&__heap_base) {
                return KP_INVALID_PARAMS;
            }
            return kp_entries(params)->dtype == KP_F32 && kp_scalars(params)[0] == 1 ? KP_OK : KP_INVALID_INPUT;
        }";
    compile(&format!("{head}{body}")).unwrap();
}

#[test]
fn a_wrong_number_would_be_noticed() {
    let said = compile("#include \"kernelpack.h\"\n_Static_assert(KP_F32 == 2, \"f32\");\n").unwrap_err();
    assert!(said.contains("static assertion failed"), "{said}");
}

/// Collects equalities between C expressions and Rust numbers.
struct Equalities(String);

impl Equalities {
    fn equal(&mut self, c: &str, rust: impl TryInto<i64>) {
        let Ok(rust) = rust.try_into() else { panic!("{c} does not fit") };
        writeln!(self.0, "_Static_assert({c} == {rust}, \"{c}\");").expect("a string grows");
    }
}

#[test]
fn every_number_is_the_abis() {
    let mut all = Equalities("#include \"kernelpack.h\"\n".to_owned());
    all.equal("KP_ABI_VERSION", ABI_VERSION);
    all.equal("KP_PARAMS_VERSION", params::VERSION);
    all.equal("KP_TENSOR_ALIGN", TENSOR_ALIGN);
    all.equal("KP_MAX_RANK", MAX_RANK);
    all.equal("KP_MAX_TENSORS", MAX_TENSORS);
    all.equal("KP_MESSAGE_CAPACITY", MESSAGE_CAPACITY);
    for status in (0..).map_while(Status::from_code) {
        all.equal(&format!("KP_{}", status.name()), status.code());
    }
    for dtype in DType::ALL {
        all.equal(&format!("KP_{}", dtype.name().to_uppercase()), dtype.code());
    }
    for (name, role) in [("IN", Role::In), ("OUT", Role::Out), ("INOUT", Role::InOut), ("SCRATCH", Role::Scratch)] {
        all.equal(&format!("KP_{name}"), role as u8);
    }
    all.equal("KP_HAS_INIT", KernelInfo::HAS_INIT);
    all.equal("KP_HAS_BACKWARD", KernelInfo::HAS_BACKWARD);
    all.equal("KP_HAS_CLEANUP", KernelInfo::HAS_CLEANUP);
    all.equal("KP_HAS_FORWARD_BATCH", KernelInfo::HAS_FORWARD_BATCH);
    compile(&all.0).unwrap();
}

/// Compares the size of a struct and the offset of each field; every field must be named.
macro_rules! layout {
    ($all:ident, $c:literal = $rust:ident { $($field:ident),* $(,)? }) => {
        $all.equal(concat!("sizeof(", $c, ")"), size_of::<$rust>());
        $($all.equal(concat!("offsetof(", $c, ", ", stringify!($field), ")"), offset_of!($rust, $field));)*
        let _ = |all: $rust| {
            let $rust { $($field: _),* } = all;
        };
    };
}

#[test]
fn every_structure_is_the_abis() {
    let mut all = Equalities("#include \"kernelpack.h\"\n".to_owned());
    layout!(
        all,
        "kp_descriptor" = KernelDescriptor {
            input_a_offset,
            input_a_size,
            input_b_offset,
            input_b_size,
            output_offset,
            output_size,
            scratch_offset,
            scratch_size,
            params_offset,
            params_size,
        }
    );
    layout!(all, "kp_params_header" = ParamsHeader { version, tensor_count, scalars_offset, scalars_size });
    layout!(all, "kp_tensor_entry" = TensorEntry { offset, size, dtype, role, rank, reserved, dims, reserved_end });
    layout!(
        all,
        "kp_info" = KernelInfo {
            abi_version,
            tensor_count,
            param_count,
            flags,
            id_offset,
            id_size,
            message_offset,
            message_capacity,
        }
    );
    layout!(all, "kp_block_q8_0" = BlockQ8_0 { d, qs });
    layout!(all, "kp_block_q4_0" = BlockQ4_0 { d, qs });
    all.equal("sizeof(kp_message)", 4 + MESSAGE_CAPACITY);
    compile(&all.0).unwrap();
}
