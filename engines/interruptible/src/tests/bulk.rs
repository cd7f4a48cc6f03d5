//! Compares the functions that replace `memory.fill` and `memory.copy` with the instructions.

use proptest::prelude::*;
use wasmtime::{Engine, Instance, Module, Store, Trap, TypedFunc};

use super::{lower_bulk, make, parse};

const TEXT: &str = "(module
    (memory (export \"memory\") 2)
    (func (export \"fill\") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
    (func (export \"copy\") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2))))";

/// Instances of one module: fully rewritten, with only bulk instructions lowered, and original.
struct Pair {
    store: Store<()>,
    instances: [Instance; 3],
}

impl Pair {
    fn new(engine: &Engine, text: &str) -> Self {
        let wasm = parse(text);
        let mut store = Store::new(engine, ());
        let modules = [make(&wasm).unwrap().wasm, lower_bulk(&wasm).unwrap().wasm, wasm];
        let instances =
            modules.map(|module| Instance::new(&mut store, &Module::new(engine, module).unwrap(), &[]).unwrap());
        Self { store, instances }
    }

    /// Makes the same call in all three instances, checks that they agree, and returns the result.
    fn call(&mut self, name: &str, arguments: (u32, u32, u32)) -> Result<(), Trap> {
        let results = self.instances.map(|instance| {
            let function: TypedFunc<(u32, u32, u32), ()> = instance.get_typed_func(&mut self.store, name).unwrap();
            function.call(&mut self.store, arguments).map_err(|error| error.downcast::<Trap>().unwrap())
        });
        assert_eq!(results[0], results[2], "{name}{arguments:?}");
        assert_eq!(results[1], results[2], "{name}{arguments:?}");
        let memory = |index: usize| self.instances[index].get_memory(&mut self.store, "memory").unwrap();
        let memories = [0, 1, 2].map(memory).map(|memory| memory.data(&self.store));
        assert!(memories[0] == memories[2] && memories[1] == memories[2], "{name}{arguments:?} leaves other bytes");
        results[2]
    }

    /// Fills memory with bytes that differ from their neighbours, and from those a vector away.
    fn scatter(&mut self) {
        for instance in self.instances {
            let memory = instance.get_memory(&mut self.store, "memory").unwrap();
            let bytes = memory.data_mut(&mut self.store).iter_mut();
            bytes.enumerate().for_each(|(index, byte)| *byte = (index * 167 % 251) as u8);
        }
    }
}

const END: u32 = 2 << 16;

#[test]
fn every_small_size_at_every_distance() {
    let mut pair = Pair::new(&Engine::default(), TEXT);
    pair.scatter();
    for length in 0..=200 {
        pair.call("fill", (1000, length, length)).unwrap();
        pair.call("fill", (END - length, 256 + length, length)).unwrap();
        for distance in [0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 63, 64, 65, 100, 127, 128, 129, 300] {
            pair.call("copy", (5000, 5000 + distance, length)).unwrap();
            pair.call("copy", (5000 + distance, 5000, length)).unwrap();
        }
        pair.call("copy", (0, END - length, length)).unwrap();
        pair.call("copy", (END - length, 0, length)).unwrap();
    }
}

#[test]
fn ranges_outside_of_memory_trap_before_anything_is_written() {
    let mut pair = Pair::new(&Engine::default(), TEXT);
    pair.scatter();
    let outside = Err(Trap::MemoryOutOfBounds);
    for (start, length) in [(END, 1), (END - 1, 2), (END + 1, 0), (u32::MAX, 0), (u32::MAX, u32::MAX), (0, END + 1)] {
        assert_eq!(pair.call("fill", (start, 1, length)), outside);
        assert_eq!(pair.call("copy", (start, 0, length)), outside);
        assert_eq!(pair.call("copy", (0, start, length)), outside);
    }
    assert_eq!(pair.call("fill", (END, 1, 0)), Ok(()));
    assert_eq!(pair.call("copy", (END, END, 0)), Ok(()));
    assert_eq!(pair.call("fill", (0, 1, END)), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_leaves_the_same_memory(
        calls in prop::collection::vec((any::<bool>(), 0..END + 9, 0..END + 9, prop_oneof![0u32..400, 0..END + 9]), 1..20),
    ) {
        let mut pair = Pair::new(&Engine::default(), TEXT);
        pair.scatter();
        for (fill, destination, source, length) in calls {
            _ = pair.call(if fill { "fill" } else { "copy" }, (destination, source, length));
        }
    }
}
