::core::compile_error! {
    "#[kernel] has no argument `colour`: it takes category, name, family, entry_point, fallback, max_memory_pages, max_epoch_ticks, max_table_elements, max_instances, max_stack_bytes, init, cleanup, backward, split, crate"
}
::core::compile_error! {
    "`f64` cannot be the element of a tensor: use f32"
}
::core::compile_error! {
    "tensor `x` has no shape: put its extents before it, as in `#[shape(rows, dim)]`"
}
::core::compile_error! {
    "two parameters are called `y`: rename one"
}
pub fn k(x: &[f64], y: &mut [f32], _: &mut [f32]) -> Result<()> {
    Ok(())
}
#[allow(missing_docs, reason = "stands in for a stub whose function has mistakes")]
pub mod k {
    pub struct Kernel;
    pub struct Params;
    pub struct Args<'a>(::core::marker::PhantomData<&'a ()>);
}
