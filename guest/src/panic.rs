//! Makes panics write their message and location into the message channel, and then trap.

#[cfg(feature = "std")]
pub(crate) use with_std::install;
#[cfg(not(feature = "std"))]
pub(crate) use without_std::install;

#[cfg(feature = "std")]
mod with_std {
    use std::sync::Once;

    use crate::message;

    /// Makes std's panic machinery report through the message channel. The trap comes from `panic = "abort"`.
    pub(crate) fn install() {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            std::panic::set_hook(Box::new(|info| {
                let text = info.payload_as_str().unwrap_or("a non-text value");
                match info.location() {
                    Some(at) => message::set(format_args!("panicked at {at}: {text}")),
                    None => message::set(format_args!("panicked: {text}")),
                }
            }));
        });
    }
}

#[cfg(not(feature = "std"))]
mod without_std {
    use core::panic::PanicInfo;

    use crate::message;

    /// Does nothing, since the panic handler below is part of the module.
    pub(crate) fn install() {}

    #[panic_handler]
    fn panic(info: &PanicInfo<'_>) -> ! {
        let text = info.message();
        match info.location() {
            Some(at) => message::set(format_args!("panicked at {at}: {text}")),
            None => message::set(format_args!("panicked: {text}")),
        }
        core::arch::wasm32::unreachable()
    }
}
