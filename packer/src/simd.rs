//! Finds the use of SIMD in a module.

use wasmparser::{KnownCustom, Name, Parser, Payload, ValidPayload, Validator, WasmFeatures};

/// The features that engines without SIMD lack, as manifests call them.
pub(crate) const FEATURES: [&str; 2] = ["relaxed-simd", "simd"];

/// Returns the name of a function of the crate that uses SIMD in a valid module; `None` if no named function does.
///
/// The compiler gives all functions of a module the features of any one of them, so functions of other crates may use
/// SIMD too.
pub(crate) fn function_of(krate: &str, wasm: &[u8]) -> Option<String> {
    let features = WasmFeatures::all() - WasmFeatures::SIMD - WasmFeatures::RELAXED_SIMD;
    let mut validator = Validator::new_with_features(features);
    let path = format!("{krate}::");
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.ok()?;
        if let ValidPayload::Func(function, body) = validator.payload(&payload).ok()? {
            let index = function.index;
            if function.into_validator(Default::default()).validate(&body).is_err() {
                found.push(index);
            }
        }
        // The `name` section comes after the code in a module.
        let Payload::CustomSection(section) = payload else { continue };
        let KnownCustom::Name(names) = section.as_known() else { continue };
        for names in names {
            let Name::Function(names) = names.ok()? else { continue };
            let mut names = names.into_iter().filter_map(Result::ok);
            return names.find(|at| at.name.contains(&path) && found.contains(&at.index)).map(|at| at.name.to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests;
