//! The kernels that are compiled into this program: their stubs call the sandbox in several ways, and their functions
//! run natively.

use std::error::Error;

use half::f16;
use kernelpack_host::{
    Bound, Pack, Tensor, TypedKernel,
    abi::{BlockQ4_0, BlockQ8_0, Element, Kernel, Pass as _},
    error::BadCall,
};
use kernelpack_kernels::{
    kv_pack_q4, kv_pack_q8, kv_unpack_q4, kv_unpack_q8, lora_apply_f16, lora_apply_f32, rmsnorm_f16, rmsnorm_f32,
    rope_f16, rope_f32, rope_q8, swiglu_f16, swiglu_f32,
};

use super::{subject::Subject, workload::Workload};

/// A kernel that is called in several ways on the same tensors. In-out tensors keep their values from call to call.
pub(crate) trait Ways {
    /// Calls the sandbox, copying from and to the caller's memory.
    fn typed(&mut self) -> Result<(), Box<dyn Error>>;

    /// Calls the sandbox, which uses the caller's tensors in place.
    fn bound(&mut self) -> Result<(), Box<dyn Error>>;

    /// Like [`bound`](Self::bound), in a runtime that never stops calls.
    fn bound_no_deadline(&mut self) -> Result<(), Box<dyn Error>>;

    /// Calls the function natively. This allocates and zeroes scratch tensors, which calls of the sandbox do not.
    fn native(&mut self) -> Result<(), Box<dyn Error>>;
}

/// Lists each kernel with its required inputs, its optional input, its output, and the output's initial value, if any.
macro_rules! kernels {
    ($($kernel:ident($($input:ident),* $(; $optional:ident)?) -> $output:ident: $element:ty $(= $start:ident)?,)*) => {
        /// Returns the kernel of this id with the tensors of a workload; `None` if it is not compiled in, or if the
        /// pack's kernel has another signature.
        pub(crate) fn find<'a>(
            subject: &Subject,
            id: &str,
            workload: &'a Workload,
        ) -> Result<Option<Box<dyn Ways + 'a>>, Box<dyn Error>> {
            match id {
                $(stringify!($kernel) => {
                    struct Called<'a> {
                        typed: TypedKernel<$kernel::Kernel>,
                        bound: Bound<$kernel::Kernel>,
                        no_deadline: Bound<$kernel::Kernel>,
                        inputs: $kernel::Inputs<'a>,
                        output: Tensor<$element>,
                    }

                    impl Ways for Called<'_> {
                        fn typed(&mut self) -> Result<(), Box<dyn Error>> {
                            Ok(self.typed.call(args(self.inputs, &mut self.output))?)
                        }

                        fn bound(&mut self) -> Result<(), Box<dyn Error>> {
                            Ok(self.bound.call(args(self.inputs, &mut self.output))?)
                        }

                        fn bound_no_deadline(&mut self) -> Result<(), Box<dyn Error>> {
                            Ok(self.no_deadline.call(args(self.inputs, &mut self.output))?)
                        }

                        fn native(&mut self) -> Result<(), Box<dyn Error>> {
                            let args = args(self.inputs, &mut self.output);
                            $kernel::Kernel::reference(args).map_err(|error| error.to_string().into())
                        }
                    }

                    #[inline]
                    fn args<'t>(
                        inputs: $kernel::Inputs<'t>,
                        output: &'t mut Tensor<$element>,
                    ) -> $kernel::Args<'t> {
                        #[allow(unused_mut, reason = "few kernels have optional inputs")]
                        let mut args = $kernel::Args::new($(inputs.$input,)* output.view_mut());
                        $(args.$optional = inputs.$optional;)?
                        args
                    }

                    let Some(typed) = stub::<$kernel::Kernel>(&subject.pack)? else { return Ok(None) };
                    let no_deadline = subject.no_deadline.kernel::<$kernel::Kernel>()?;
                    let missing = |name| format!("kernel {id:?} has no tensor {name:?} of this type");
                    $(let $input = workload.tensor(stringify!($input)).and_then(|tensor| tensor.view());)*
                    $(let $start = workload.tensor(stringify!($start)).and_then(|tensor| tensor.view());)?
                    #[allow(unused_mut, reason = "few kernels have optional inputs")]
                    let mut inputs = $kernel::Inputs::new(
                        $($input.ok_or_else(|| missing(stringify!($input)))?,)*
                        $($start.ok_or_else(|| missing(stringify!($start)))?,)?
                    );
                    $(inputs.$optional = workload.tensor(stringify!($optional)).and_then(|tensor| tensor.view());)?
                    let output = stringify!($output);
                    let mut output = output_of::<$element>(workload, output)?.ok_or_else(|| missing(output))?;
                    let bound = typed.bind(args(inputs, &mut output))?;
                    let no_deadline = no_deadline.bind(args(inputs, &mut output))?;
                    Ok(Some(Box::new(Called { typed, bound, no_deadline, inputs, output })))
                })*
                _ => Ok(None),
            }
        }
    };
}

kernels! {
    kv_pack_q4(x) -> y: BlockQ4_0,
    kv_pack_q8(x) -> y: BlockQ8_0,
    kv_unpack_q4(x) -> y: f32,
    kv_unpack_q8(x) -> y: f32,
    lora_apply_f16(x, a, b) -> y: f16 = y,
    lora_apply_f32(x, a, b) -> y: f32 = y,
    rmsnorm_f16(x, weight) -> y: f16,
    rmsnorm_f32(x, weight) -> y: f32,
    rope_f16(x; freqs) -> y: f16,
    rope_f32(x; freqs) -> y: f32,
    rope_q8(x; freqs) -> y: BlockQ8_0,
    swiglu_f16(gate, up) -> y: f16,
    swiglu_f32(gate, up) -> y: f32,
}

/// Returns the stub's kernel; `None` if the pack's kernel with that id has another signature.
fn stub<K: Kernel>(pack: &Pack) -> Result<Option<TypedKernel<K>>, kernelpack_host::Error> {
    match pack.kernel::<K>() {
        Ok(kernel) => Ok(Some(kernel)),
        Err(kernelpack_host::Error::BadCall(call)) if matches!(*call, BadCall::StubDisagrees { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns a tensor for the output of this name, with its initial value if it has one; `None` if there is no such
/// output.
fn output_of<T: Element>(workload: &Workload, name: &str) -> Result<Option<Tensor<T>>, kernelpack_host::Error> {
    let start = workload.tensor(name).and_then(|tensor| tensor.view::<T>());
    let Some(shape) = workload.output(name).or(start.map(|start| start.shape())) else { return Ok(None) };
    let dims: Vec<usize> = shape.dims().iter().map(|&dim| dim as usize).collect();
    let mut output = Tensor::zeros(&dims)?;
    if let Some(start) = start {
        output.as_mut_slice().copy_from_slice(start.data());
    }
    Ok(Some(output))
}
