use crate::{Interruption, Runtime, Wasmtime};

#[test]
fn an_empty_function_can_be_called_however_calls_are_stopped() {
    for interruption in [Interruption::BEST, Interruption::Epoch, Interruption::Never] {
        let runtime = Runtime::builder(Wasmtime::new().interruption(interruption)).build().unwrap();
        let mut call = runtime.raw_call().unwrap();
        drop(runtime);
        call.repeat(0).unwrap();
        call.repeat(1000).unwrap();
    }
}
