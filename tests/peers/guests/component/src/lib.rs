//! RMSNorm as a component: lists of floats in and out.
#![allow(missing_docs, reason = "the bindings are generated, and the WIT says what there is")]

use kernelpack_kernels::rmsnorm_f32;

wit_bindgen::generate!({ path: "wit", world: "peer" });

struct Peer;

impl Guest for Peer {
    fn rmsnorm(x: Vec<f32>, weight: Vec<f32>, eps: f32) -> Vec<f32> {
        let mut y = vec![0.0; x.len()];
        rmsnorm_f32(&x, &weight, &mut y, eps, x.len()).expect("rows of any length are taken");
        y
    }
}

export!(Peer);
