//! Describes a manifest for people.

use std::{
    fmt::{self, Display, Formatter},
    time::Duration,
};

use kernelpack_host::abi::{ParamValue, ResourceLimits};
use kernelpack_manifest::{Backward, Kernel, Manifest, Param, Scratch, Tensor};

use crate::{integrity::Integrity, print::one_line};

/// A pack, and the results of checking it.
pub(crate) struct Described<'a> {
    /// The pack's own description.
    pub(crate) manifest: &'a Manifest,
    /// Whether it matches its files.
    pub(crate) integrity: &'a Integrity,
}

impl Display for Described<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { manifest, integrity } = self;
        writeln!(f, "{} {}", one_line(&manifest.name), manifest.version)?;
        describe_text(f, "", &manifest.description)?;
        let author = &manifest.author;
        let email = author.email.as_deref().map(|email| format!(" <{}>", one_line(email))).unwrap_or_default();
        writeln!(f, "  author      {}{email}", one_line(&author.name))?;
        writeln!(f, "  key         {}", author.signing_key)?;
        writeln!(f, "  created     {}", manifest.created_at)?;
        writeln!(f, "  runtime     {} to {}", manifest.min_runtime_version, manifest.max_runtime_version)?;
        writeln!(f, "  signature   {}", signature(integrity))?;
        writeln!(f, "  files       {}", verdict(integrity.files, "as the manifest says"))?;
        writeln!(f, "  hashes      {}", verdict(integrity.hashes, "as the manifest says"))?;
        writeln!(f, "  modules     {}", verdict(integrity.modules, "as the manifest says"))?;
        writeln!(f, "  vectors     {}", verdict(integrity.vectors, "as the manifest says"))?;
        for fault in &integrity.faults {
            writeln!(f, "  problem     {}", one_line(fault))?;
        }
        for kernel in &manifest.kernels {
            writeln!(f)?;
            describe_kernel(f, kernel, manifest.fallbacks.get(&kernel.id))?;
        }
        Ok(())
    }
}

fn signature(integrity: &Integrity) -> String {
    match (&integrity.signed_by_id, integrity.signed_by_named_key) {
        (Some(id), true) => format!("of the key above, trusted as {id}"),
        // The key that the manifest names is only informative, since another key may have signed for the author.
        (Some(id), false) => format!("NOT of the key above, but of the trusted key {id}"),
        (None, true) => "of the key above; only `kernelpack verify` can tell whether to trust it".to_owned(),
        (None, false) => "NOT of the key above".to_owned(),
    }
}

fn verdict(holds: bool, so: &'static str) -> String {
    if holds { so.to_owned() } else { format!("NOT {so}") }
}

fn describe_kernel(f: &mut Formatter<'_>, kernel: &Kernel, fallback: Option<&String>) -> fmt::Result {
    let title = if kernel.name == kernel.id { String::new() } else { format!(": {}", one_line(&kernel.name)) };
    writeln!(f, "{}{title}", kernel.id)?;
    describe_text(f, "  ", &kernel.description)?;
    let Kernel { inputs, outputs, scratch, params, .. } = kernel;
    writeln!(f, "{}", Function { name: &kernel.id, parameters: parameters(inputs, outputs, scratch, params) })?;
    if let Some(Backward { inputs, outputs, scratch, params }) = &kernel.backward {
        let name = &format!("{}_backward", kernel.id);
        writeln!(f, "{}", Function { name, parameters: parameters(inputs, outputs, scratch, params) })?;
    }
    writeln!(f, "    category  {}", one_line(&kernel.category))?;
    if !kernel.split.is_empty() {
        writeln!(f, "    split     over {}", kernel.split.join(", "))?;
    }
    writeln!(f, "    limits    {}", limits(kernel.resource_limits))?;
    for (engine, platform) in &kernel.platforms {
        let features = &platform.features;
        let with = if features.is_empty() { String::new() } else { format!(" with {}", features.join(", ")) };
        writeln!(f, "    engine    {engine} {} or newer{with}", platform.min_version)?;
    }
    if let Some(fallback) = fallback {
        writeln!(f, "    fallback  {fallback}")?;
    }
    for module in kernel.modules() {
        let only = module.platform.map(|(engine, _)| format!(" for {engine}")).unwrap_or_default();
        writeln!(f, "    module    {}{only}", module.path)?;
        writeln!(f, "    hash      {}", module.hash)?;
    }
    for file in kernel.aot_files() {
        writeln!(f, "    native    {} for {} by WAMR {}", file.path, file.target, file.version)?;
        writeln!(f, "    with      {}", file.options.join(" "))?;
        writeln!(f, "    hash      {}", file.hash)?;
    }
    for vector in &kernel.health {
        let within =
            if vector.tolerance == 0.0 { "to the bit".into() } else { format!("within {:e}", vector.tolerance) };
        writeln!(f, "    health    {} {within}", vector.path)?;
    }
    Ok(())
}

/// Writes a text of the manifest, indented so that none of its lines can be mistaken for a line of this program.
fn describe_text(f: &mut Formatter<'_>, indent: &str, text: &str) -> fmt::Result {
    for line in text.lines().map(one_line).filter(|line| !line.is_empty()) {
        writeln!(f, "{indent}  {line}")?;
    }
    Ok(())
}

/// A pass as the author of a kernel would write it.
struct Function<'a> {
    name: &'a str,
    parameters: Vec<String>,
}

impl Display for Function<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "    fn {}(", self.name)?;
        for parameter in &self.parameters {
            writeln!(f, "        {parameter},")?;
        }
        write!(f, "    )")
    }
}

/// Returns the parameters in the order of their declaration; tensors and scalars are numbered separately.
fn parameters<'a>(
    inputs: &[Tensor],
    outputs: &[Tensor],
    scratch: &[Scratch],
    params: impl IntoIterator<Item = (&'a String, &'a Param)>,
) -> Vec<String> {
    let inputs = inputs.iter().map(|tensor| (tensor.index, input(tensor)));
    let outputs = outputs.iter().filter(|tensor| !tensor.inout);
    let outputs =
        outputs.map(|tensor| (tensor.index, format!("{} {}: &mut [{}]", shape(tensor), tensor.name, tensor.dtype)));
    let scratch = scratch.iter();
    let scratch =
        scratch.map(|it| (it.index, format!("#[scratch(len = {})] {}: &mut [{}]", it.len, it.name, it.dtype)));
    let mut tensors: Vec<_> = inputs.chain(outputs).chain(scratch).collect();
    tensors.sort_by_key(|(index, _)| *index);
    let mut scalars: Vec<_> = params.into_iter().map(|(name, param)| (param.index, scalar(name, param))).collect();
    scalars.sort_by_key(|(index, _)| *index);
    tensors.into_iter().chain(scalars).map(|(_, text)| text).collect()
}

fn input(tensor: &Tensor) -> String {
    let Tensor { name, dtype, .. } = tensor;
    let shape = shape(tensor);
    match (tensor.inout, tensor.optional) {
        (true, _) => format!("#[inout] {shape} {name}: &mut [{dtype}]"),
        (false, true) => format!("{shape} {name}: Option<&[{dtype}]>"),
        (false, false) => format!("{shape} {name}: &[{dtype}]"),
    }
}

fn shape(tensor: &Tensor) -> String {
    let extents: Vec<_> = tensor.shape.iter().map(ToString::to_string).collect();
    format!("#[shape({})]", extents.join(", "))
}

fn scalar(name: &str, param: &Param) -> String {
    let default = match param.default {
        None => String::new(),
        // Writes the shortest form, such as 1e-5 rather than 0.00001.
        Some(ParamValue::F32(value)) => format!("(default = {value:?})"),
        Some(value) => format!("(default = {value})"),
    };
    format!("#[param{default}] {name}: {}", param.ty.name())
}

fn limits(limits: ResourceLimits) -> String {
    let bytes = |kib: u64| match kib {
        kib if kib % (1 << 20) == 0 => format!("{} GiB", kib >> 20),
        kib if kib % (1 << 10) == 0 => format!("{} MiB", kib >> 10),
        kib => format!("{kib} KiB"),
    };
    let memory = bytes(u64::from(limits.max_memory_pages) * 64);
    let time = Duration::from_millis(10) * limits.max_epoch_ticks;
    let ResourceLimits { max_table_elements, max_instances, max_stack_bytes, .. } = limits;
    let stack = bytes(u64::from(max_stack_bytes) >> 10);
    format!(
        "{memory} of memory, {stack} of stack, {time:?} per call, {max_table_elements} table elements, \
         {max_instances} instances"
    )
}

#[cfg(test)]
mod tests;
