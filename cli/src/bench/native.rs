//! The kernels that this program has compiled in: their bodies run natively, and their stubs call the sandbox.

use std::error::Error;

use kernelpack_host::{
    BadCall, Pack, TypedKernel,
    abi::{Infer, Kernel},
};
use kernelpack_kernels::{
    kv_pack_q4, kv_pack_q8, kv_unpack_q4, kv_unpack_q8, lora_apply_f16, lora_apply_f32, rmsnorm_f16, rmsnorm_f32,
    rope_f16, rope_f32, rope_q8, swiglu_f16, swiglu_f32,
};

use super::workload::Workload;

/// A kernel that runs both ways on the same inputs.
pub(crate) trait BothWays {
    /// Runs the body natively. Scratch tensors are allocated and zeroed within, which a sandbox's host does not do.
    fn native(&mut self) -> Result<(), Box<dyn Error>>;

    /// Runs the kernel in the sandbox, from and to the caller's memory.
    fn sandboxed(&mut self) -> Result<(), Box<dyn Error>>;
}

/// A kernel's inputs from the tensors of a workload: the required ones by position, then those that may be left out.
macro_rules! kernels {
    ($($kernel:ident($($input:ident),* $(; $($optional:ident),*)?),)*) => {
        /// The kernel of this id with the inputs of a workload; none if it is not compiled in, or if the pack's kernel
        /// takes something else.
        pub(crate) fn find<'a>(
            pack: &Pack,
            id: &str,
            workload: &'a Workload,
        ) -> Result<Option<Box<dyn BothWays + 'a>>, Box<dyn Error>> {
            match id {
                $(stringify!($kernel) => {
                    let Some(kernel) = stub::<$kernel::Kernel>(pack)? else { return Ok(None) };
                    let missing = |name| format!("kernel {id:?} takes no {name:?} of such a type");
                    $(let $input = workload.tensor(stringify!($input)).and_then(|tensor| tensor.view());)*
                    #[allow(unused_mut, reason = "few kernels have optional inputs")]
                    let mut inputs = $kernel::Inputs::new($($input.ok_or_else(|| missing(stringify!($input)))?),*);
                    $($(inputs.$optional = workload.tensor(stringify!($optional)).and_then(|tensor| tensor.view());)*)?
                    Ok(Some(Box::new(CompiledIn::<$kernel::Kernel>::new(kernel, inputs)?)))
                })*
                _ => Ok(None),
            }
        }
    };
}

kernels! {
    kv_pack_q4(x),
    kv_pack_q8(x),
    kv_unpack_q4(x),
    kv_unpack_q8(x),
    lora_apply_f16(x, a, b, y),
    lora_apply_f32(x, a, b, y),
    rmsnorm_f16(x, weight),
    rmsnorm_f32(x, weight),
    rope_f16(x; freqs),
    rope_f32(x; freqs),
    rope_q8(x; freqs),
    swiglu_f16(gate, up),
    swiglu_f32(gate, up),
}

/// The stub's kernel; none if the pack's kernel of that name is another one.
fn stub<K: Kernel>(pack: &Pack) -> Result<Option<TypedKernel<K>>, kernelpack_host::Error> {
    match pack.kernel::<K>() {
        Ok(kernel) => Ok(Some(kernel)),
        Err(kernelpack_host::Error::BadCall(call)) if matches!(*call, BadCall::StubDisagrees { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

struct CompiledIn<'a, K: Kernel + Infer> {
    kernel: TypedKernel<K>,
    inputs: K::Inputs<'a>,
    /// In-out tensors go on from their last value, so that each way has its own.
    natively: K::Outputs,
    in_sandbox: K::Outputs,
}

impl<'a, K: Kernel + Infer> CompiledIn<'a, K> {
    fn new(kernel: TypedKernel<K>, inputs: K::Inputs<'a>) -> Result<Self, Box<dyn Error>> {
        let allocate = || K::allocate(&inputs).map_err(|error| error.to_string());
        Ok(Self { natively: allocate()?, in_sandbox: allocate()?, kernel, inputs })
    }
}

impl<'a, K: Kernel + Infer> BothWays for CompiledIn<'a, K>
where
    K::Inputs<'a>: Copy,
{
    fn native(&mut self) -> Result<(), Box<dyn Error>> {
        K::reference(K::join(self.inputs, &mut self.natively)).map_err(|error| error.to_string().into())
    }

    fn sandboxed(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(self.kernel.call(K::join(self.inputs, &mut self.in_sandbox))?)
    }
}
