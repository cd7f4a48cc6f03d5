use std::{ops::Range, vec::Vec};

use kernelpack_abi::{
    BlockQ8_0, DType, Dim, Element, Error, Expr, KernelDescriptor, Op, ParamSpec, ParamType, Role, Shape, Signature,
    Status, TensorSpec,
    layout::{self, Bounds, Cursor},
    params::{self, ParamsHeader, TensorEntry},
};
use proptest::prelude::*;
use zerocopy::IntoBytes as _;

use super::{Fault, Frame, LinearMemory, Memo, Parts, Signed, judge, quick};

const ROWS: Dim = Dim::Symbol(0);
const DIM: Dim = Dim::Symbol(1);

const fn tensor(name: &'static str, dtype: DType, role: Role, dims: &'static [Dim]) -> TensorSpec<'static> {
    TensorSpec { name, dtype, role, optional: false, dims, len: Expr(&[]) }
}

const X: usize = 0;
const BIAS: usize = 1;
const BLOCKS: usize = 2;
const STATE: usize = 3;
const Y: usize = 4;
const TMP: usize = 5;

/// Tensors of every role and several types, one of them optional.
const SIGNATURE: Signature<'static> = Signature {
    symbols: &["rows", "dim"],
    tensors: &[
        tensor("x", DType::F32, Role::In, &[ROWS, DIM]),
        TensorSpec { optional: true, ..tensor("bias", DType::F32, Role::In, &[DIM]) },
        tensor("blocks", DType::Q8_0, Role::In, &[Dim::Div(1, 32)]),
        tensor("state", DType::I8, Role::InOut, &[DIM]),
        tensor("y", DType::F32, Role::Out, &[ROWS, DIM]),
        TensorSpec {
            len: Expr(&[Op::Symbol(0), Op::Const(3), Op::Mul]),
            ..tensor("tmp", DType::F32, Role::Scratch, &[])
        },
    ],
    params: &[
        ParamSpec { name: "eps", ty: ParamType::F32, default: None },
        ParamSpec { name: "causal", ty: ParamType::Bool, default: None },
    ],
};

/// The pass with that signature.
struct Tested;

impl Signed for Tested {
    const SIGNATURE: Signature<'static> = SIGNATURE;
}

const SIZE: usize = 8192;
/// Represents the module's heap base.
const FLOOR: u32 = 512;
const HEAD: u32 = 512;
const PARAMS: u32 = 576;

#[repr(C, align(16))]
#[derive(Clone)]
struct Buffer([u8; SIZE]);

/// A call in its own memory, which tests damage before they open it.
#[derive(Clone)]
struct Call {
    buffer: Box<Buffer>,
    head_offset: u32,
    head: KernelDescriptor,
    /// The rows; `write` puts them, the header and the scalars at `params_offset`.
    entries: Vec<TensorEntry>,
    scalars: Vec<u8>,
    bounds: Bounds,
    /// Whether `head` is derived from the rows.
    consistent: bool,
}

fn entry(offset: u32, dtype: DType, role: Role, dims: &[usize]) -> TensorEntry {
    TensorEntry::new(offset, dtype, role, Shape::new(dims).unwrap()).unwrap()
}

impl Call {
    /// Returns a valid call with two rows of 64.
    fn valid() -> Self {
        let mut scalars = 0.5f32.to_le_bytes().to_vec();
        scalars.push(1);
        Self {
            buffer: Box::new(Buffer([0; SIZE])),
            head_offset: HEAD,
            head: KernelDescriptor { params_offset: PARAMS, ..KernelDescriptor::default() },
            entries: vec![
                entry(1024, DType::F32, Role::In, &[2, 64]),
                entry(1536, DType::F32, Role::In, &[64]),
                entry(1792, DType::Q8_0, Role::In, &[2]),
                entry(1872, DType::I8, Role::InOut, &[64]),
                entry(2048, DType::F32, Role::Out, &[2, 64]),
                entry(2560, DType::F32, Role::Scratch, &[6]),
            ],
            scalars,
            bounds: Bounds { floor: FLOOR, memory_size: SIZE as u64 },
            consistent: true,
        }
    }

    fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut call = Self::valid();
        change(&mut call);
        call
    }

    fn put(&mut self, offset: u32, bytes: &[u8]) {
        let at = offset as usize;
        if let Some(to) = self.buffer.0.get_mut(at..at + bytes.len()) {
            to.copy_from_slice(bytes);
        }
    }

    /// Writes everything into the buffer; parts outside of it are omitted.
    fn write(&mut self) {
        let size = params::block_size(self.entries.len(), self.scalars.len() as u32);
        if self.consistent {
            self.head.params_size = size;
            self.head = layout::describe(self.head.params_offset, size, &self.entries);
        }
        let header = ParamsHeader {
            version: params::VERSION,
            tensor_count: self.entries.len() as u32,
            scalars_offset: params::block_size(self.entries.len(), 0),
            scalars_size: self.scalars.len() as u32,
        };
        let (entries, scalars) = (self.entries.clone(), self.scalars.clone());
        self.put(self.head.params_offset, header.as_bytes());
        self.put(self.head.params_offset + params::HEADER_SIZE, entries.as_bytes());
        self.put(self.head.params_offset.saturating_add(header.scalars_offset), &scalars);
        let head = self.head;
        self.put(self.head_offset, head.as_bytes());
    }

    /// Returns the results of the quick check and of the complete one for the call in the buffer; `None` if it has no
    /// descriptor and block to check.
    fn verdicts(&self) -> Option<(bool, bool)> {
        let memory = LinearMemory { base: (&raw const *self.buffer).expose_provenance(), bounds: self.bounds };
        // SAFETY: the buffer is aligned to 16 bytes, as large as the bounds or larger, and borrowed for as long as this
        // reads from it.
        let Parts { head, params, .. } = unsafe { Parts::read(memory, self.head_offset)? };
        let quick = quick::accepts::<Tested>(self.bounds, self.head_offset, head, params.entries);
        // SAFETY: as above.
        let complete = unsafe { judge(memory, self.head_offset, &SIGNATURE) }.is_ok();
        Some((quick, complete))
    }

    /// Returns whether the call differs only in offsets from the one in this memo, and its layout is valid.
    fn is_alike(&self, memo: &Memo) -> bool {
        let memory = LinearMemory { base: (&raw const *self.buffer).expose_provenance(), bounds: self.bounds };
        // SAFETY: as in `verdicts`.
        unsafe { Parts::read(memory, self.head_offset) }.is_some_and(|parts| {
            memo.has_form::<Tested>(&parts)
                && quick::is_placed::<Tested>(self.bounds, self.head_offset, parts.head, parts.params.entries)
        })
    }

    /// Returns a memo of a call with the same rows, but with consecutive tensors in the whole memory; `None` if that is
    /// refused too.
    fn memo_of_form(&self) -> Option<Memo> {
        let mut call = Self { bounds: Self::valid().bounds, ..self.clone() };
        let mut cursor = Cursor::new(1024);
        for row in call.entries.iter_mut().filter(|row| !row.is_absent()) {
            row.offset = cursor.place(u64::from(row.size))?;
        }
        let (call, mut memo) = (call.written(), Memo::new());
        opens(&call, &mut memo).then_some(memo)
    }

    /// Opens the call in the buffer. The complete check must accept what the quick one accepts.
    fn open<R>(&mut self, f: impl FnOnce(kernelpack_abi::Result<Frame<'_, Tested>>, &LinearMemory) -> R) -> R {
        if let Some((quick, complete)) = self.verdicts() {
            assert!(complete || !quick, "the quick check accepts what the complete one refuses");
            let mut memo = Memo::new();
            assert!(opens(&Self::valid().written(), &mut memo));
            assert!(quick || !self.is_alike(&memo), "a form is recognized that the quick check refuses");
        }
        let base = (&raw mut *self.buffer).expose_provenance();
        let memory = LinearMemory { base, bounds: self.bounds };
        // SAFETY: the buffer is aligned to 16 bytes, is borrowed mutably for as long as the frame and has the bounds'
        // size or more, since no test sets a `memory_size` above `SIZE`.
        f(unsafe { Frame::open(memory, self.head_offset, &mut Memo::new()) }, &memory)
    }

    fn written(mut self) -> Self {
        self.write();
        self
    }

    /// Returns the status and message with which the call is refused.
    #[track_caller]
    fn refusal(&mut self) -> (Status, String) {
        self.open(|frame, _| {
            let error = frame.expect_err("the damaged call was opened");
            (error.status(), error.message().to_owned())
        })
    }
}

#[track_caller]
fn refused(status: Status, message: &str, change: impl FnOnce(&mut Call)) {
    let (found, said) = Call::with(change).written().refusal();
    assert_eq!((found, said.as_str()), (status, message));
}

#[test]
fn a_valid_call_gives_the_declared_slices() {
    let mut call = Call::valid().written();
    call.put(1024, &1.5f32.to_le_bytes());
    call.put(1792 + 34 + 2, &[7]);
    call.put(1872 + 63, &[0xFF]);
    call.open(|frame, memory| {
        let mut frame = frame.unwrap();
        let x = frame.input::<f32>(X).unwrap();
        assert_eq!((x.len(), x[0]), (128, 1.5));
        assert_eq!(x.as_ptr().addr() - memory.base, 1024);
        assert_eq!(frame.optional_input::<f32>(BIAS).unwrap().map(<[f32]>::len), Some(64));
        let blocks = frame.input::<BlockQ8_0>(BLOCKS).unwrap();
        assert_eq!((blocks.len(), blocks[1].qs[0]), (2, 7));
        let state = frame.take_mut::<i8>(STATE).unwrap();
        assert_eq!((state.len(), state[63]), (64, -1));
        let y = frame.take_mut::<f32>(Y).unwrap();
        y.copy_from_slice(x);
        assert_eq!(frame.take_mut::<f32>(TMP).unwrap().len(), 6);
        assert_eq!((frame.extent(0), frame.extent(1)), (2, 64));
        let scalars = frame.scalars();
        assert_eq!((scalars.f32(0), scalars.bool(4)), (Ok(0.5), Ok(true)));
    });
    assert_eq!(call.buffer.0[2048..2052], 1.5f32.to_le_bytes());
}

#[test]
fn calls_as_hosts_make_them_need_the_quick_check_only() {
    let absent = TensorEntry::absent(DType::F32, Role::In);
    let changes: [fn(&mut Call, TensorEntry); 4] = [
        |_, _| {},
        |call, absent| call.entries[BIAS] = absent,
        |call, _| call.entries[BIAS].offset = 1024,
        |call, _| call.entries[TMP] = entry(4096, DType::F32, Role::Scratch, &[600]),
    ];
    for change in changes {
        assert_eq!(Call::with(|call| change(call, absent)).written().verdicts(), Some((true, true)));
    }
}

/// Returns whether the call can be opened with this memo.
fn opens(call: &Call, memo: &mut Memo) -> bool {
    let memory = LinearMemory { base: (&raw const *call.buffer).expose_provenance(), bounds: call.bounds };
    // SAFETY: the buffer is aligned to 16 bytes, as large as the bounds or larger, and borrowed for as long as the
    // frame, which writes nothing. The memo remembers offsets only, and every buffer it is used with here has the same
    // bounds.
    unsafe { Frame::<Tested>::open(memory, call.head_offset, memo) }.is_ok()
}

#[test]
fn a_remembered_call_is_recalled_whatever_its_values_are() {
    let (mut memo, mut call) = (Memo::new(), Call::valid().written());
    let recalled = |memo: &Memo, call: &Call| {
        let memory = LinearMemory { base: (&raw const *call.buffer).expose_provenance(), bounds: call.bounds };
        // SAFETY: as in `opens`.
        unsafe { memo.recall::<Tested>(memory, call.head_offset) }
            .map(|params| (params.entries.to_vec(), params.scalars.to_vec()))
    };
    assert_eq!(recalled(&memo, &call), None);
    assert!(opens(&call, &mut memo));
    assert_eq!(recalled(&memo, &call), Some((call.entries.clone(), call.scalars.clone())));
    call.scalars[0] = 7;
    call.write();
    assert_eq!(recalled(&memo, &call), Some((call.entries.clone(), call.scalars.clone())));
    struct Other;
    impl Signed for Other {
        const SIGNATURE: Signature<'static> = SIGNATURE;
    }
    let memory = LinearMemory { base: (&raw const *call.buffer).expose_provenance(), bounds: call.bounds };
    // SAFETY: as in `opens`.
    let other = unsafe { memo.recall::<Other>(memory, call.head_offset) };
    assert!(other.is_none(), "another signature's call is recalled");
}

#[test]
fn calls_of_a_batch_are_recognized_wherever_they_lie() {
    let alike = |change: fn(&mut Call)| Call::with(change).written();
    let mut memo = Memo::new();
    assert!(opens(&alike(|_| {}), &mut memo));
    // Makes a call with all offsets changed, and one with two inputs at the same position.
    let moved = alike(|call| {
        (call.head_offset, call.head.params_offset) = (544, 640);
        call.entries.iter_mut().for_each(|row| row.offset += 2048);
    });
    let shared = alike(|call| call.entries[BIAS].offset = call.entries[X].offset);
    let first = alike(|_| {});
    let is_recalled = |memo: &Memo| {
        let memory = LinearMemory { base: (&raw const *first.buffer).expose_provenance(), bounds: first.bounds };
        // SAFETY: as in `opens`.
        unsafe { memo.recall::<Tested>(memory, HEAD) }.is_some()
    };
    assert!(moved.is_alike(&memo) && opens(&moved, &mut memo));
    assert!(is_recalled(&memo), "a call elsewhere takes no place");
    assert!(shared.is_alike(&memo) && opens(&shared, &mut memo));
    assert!(!is_recalled(&memo), "a call at the same place takes it");
    assert!(first.is_alike(&memo) && opens(&first, &mut memo) && is_recalled(&memo));

    let others: [fn(&mut Call); 7] = [
        |call| call.entries[BIAS] = TensorEntry::absent(DType::F32, Role::In),
        |call| call.entries[BIAS].offset = 0,
        |call| call.entries[Y].offset = call.entries[X].offset,
        |call| call.entries[Y].offset = call.head_offset,
        |call| call.entries[X].offset += 8,
        |call| call.entries[X].offset = SIZE as u32 - 496,
        |call| call.entries[TMP] = entry(4096, DType::F32, Role::Scratch, &[7]),
    ];
    assert!(others.iter().all(|change| !alike(*change).is_alike(&memo)));
    let mut head = alike(|_| {});
    head.put(HEAD, &1040u32.to_le_bytes());
    assert!(!head.is_alike(&memo), "the descriptor and the table disagree");
}

/// Returns the calls of a batch, each in its own memory.
fn batch(count: u32) -> Vec<Call> {
    let at = |turn: u32| {
        Call::with(|call| {
            (call.head_offset, call.head.params_offset) = (HEAD + turn * KernelDescriptor::SIZE, 3072 + turn * 16);
            call.entries[Y] = entry(4096 + turn * 16, DType::F32, Role::Out, &[2, 64]);
        })
    };
    (0..count).map(|turn| at(turn).written()).collect()
}

#[test]
fn calls_of_a_batch_are_recalled_as_far_as_there_is_room() {
    // With six tensors, a call takes eight of the 170 rows.
    let (mut memo, calls) = (Memo::new(), batch(24));
    let run = |memo: &mut Memo, turns: &mut dyn Iterator<Item = u32>| {
        for turn in turns {
            memo.set_turn(Some(turn));
            assert!(opens(&calls[turn as usize], memo), "{turn}");
        }
        memo.set_turn(None);
    };
    let recalled = |memo: &mut Memo, turn: Option<u32>, call: &Call| {
        memo.set_turn(turn);
        let memory = LinearMemory { base: (&raw const *call.buffer).expose_provenance(), bounds: call.bounds };
        // SAFETY: as in `opens`.
        unsafe { memo.series.recall::<Tested>(memory, call.head_offset) }.is_some()
    };
    // A call out of order is not remembered, since the ones before it are missing.
    run(&mut memo, &mut [3].into_iter());
    assert!(!recalled(&mut memo, Some(3), &calls[3]));
    memo = Memo::new();
    run(&mut memo, &mut (0..24));
    for turn in 0..24 {
        assert_eq!(recalled(&mut memo, Some(turn), &calls[turn as usize]), turn < 21, "{turn}");
        assert!(!recalled(&mut memo, Some(turn + 1), &calls[turn as usize]), "another one's turn");
        assert!(!recalled(&mut memo, None, &calls[turn as usize]), "no batch");
    }
    assert!(!recalled(&mut memo, Some(u32::MAX), &calls[0]));

    // A call with any bit changed is not recalled, and another call replaces the one at its position.
    let call = &calls[5];
    let table = params::block_size(call.entries.len(), 0);
    let (head, block) = (call.head_offset, call.head.params_offset);
    for at in (head..head + KernelDescriptor::SIZE).chain(block..block + table) {
        for bit in 0..8 {
            let mut other = call.clone();
            other.buffer.0[at as usize] ^= 1 << bit;
            assert!(!recalled(&mut memo, Some(5), &other), "bit {bit} of byte {at}");
        }
    }
    let mut other = call.clone();
    other.scalars[0] = 7;
    assert!(recalled(&mut memo, Some(5), &other.written()), "scalars are values");
    let other = Call::with(|call| call.entries[BIAS] = TensorEntry::absent(DType::F32, Role::In)).written();
    memo.set_turn(Some(5));
    assert!(opens(&other, &mut memo));
    assert!(recalled(&mut memo, Some(5), &other) && !recalled(&mut memo, Some(5), &calls[5]));
    assert!(recalled(&mut memo, Some(6), &calls[6]));
}

/// A call with any remembered bit changed is checked again.
#[test]
fn a_call_that_differs_anywhere_is_judged() {
    let mut memo = Memo::new();
    let call = Call::valid().written();
    assert!(opens(&call, &mut memo));
    let table = params::block_size(call.entries.len(), 0);
    let places = (HEAD..HEAD + KernelDescriptor::SIZE).chain(PARAMS..PARAMS + table);
    for at in places {
        for bit in 0..8 {
            let mut other = call.clone();
            other.buffer.0[at as usize] ^= 1 << bit;
            let alone = opens(&other, &mut Memo::new());
            assert_eq!(opens(&other, &mut memo), alone, "bit {bit} of byte {at}");
            assert!(opens(&call, &mut memo), "the call is remembered, or judged once more");
        }
    }
}

#[test]
fn an_absent_optional_input_is_none() {
    let absent = TensorEntry::absent(DType::F32, Role::In);
    Call::with(|call| call.entries[BIAS] = absent).written().open(|frame, _| {
        let frame = frame.unwrap();
        assert_eq!(frame.optional_input::<f32>(BIAS).unwrap(), None);
        assert_eq!(frame.input::<f32>(BIAS), Err(Fault::Misuse { row: BIAS }));
    });
}

#[test]
fn empty_tensors_are_empty_slices_wherever_they_are() {
    let call = Call::with(|call| {
        for row in [X, Y] {
            call.entries[row] = entry(SIZE as u32, DType::F32, SIGNATURE.tensors[row].role, &[0, 64]);
        }
        call.entries[TMP] = entry(SIZE as u32, DType::F32, Role::Scratch, &[0]);
    });
    call.written().open(|frame, _| {
        let mut frame = frame.unwrap();
        assert!(frame.input::<f32>(X).unwrap().is_empty() && frame.take_mut::<f32>(Y).unwrap().is_empty());
        assert!(frame.take_mut::<f32>(TMP).unwrap().is_empty());
        assert_eq!(frame.extent(0), 0);
    });
}

#[test]
fn generous_scratch_is_cut_to_its_declared_length() {
    Call::with(|call| call.entries[TMP] = entry(2560, DType::F32, Role::Scratch, &[600])).written().open(|frame, _| {
        assert_eq!(frame.unwrap().take_mut::<f32>(TMP).unwrap().len(), 6);
    });
}

#[test]
fn a_writable_tensor_is_handed_out_once() {
    Call::valid().written().open(|frame, _| {
        let mut frame = frame.unwrap();
        for row in [Y, TMP] {
            assert!(frame.take_mut::<f32>(row).is_ok());
            assert_eq!(frame.take_mut::<f32>(row).unwrap_err(), Fault::Misuse { row });
        }
    });
}

#[test]
fn rows_are_handed_out_as_what_they_are_only() {
    Call::valid().written().open(|frame, _| {
        let mut frame = frame.unwrap();
        assert!(frame.input::<i32>(X).is_err(), "another type of the same size");
        assert!(frame.input::<f32>(Y).is_err(), "an output as an input");
        assert!(frame.take_mut::<f32>(X).is_err(), "an input as an output");
        assert!(frame.input::<f32>(6).is_err() && frame.take_mut::<f32>(64).is_err(), "no such row");
        assert!(frame.input::<f32>(usize::MAX).is_err());
    });
}

#[test]
fn damaged_descriptors_are_refused() {
    let outside =
        |at: u32| format!("the descriptor (40 bytes at {at}) lies outside the usable memory or is misaligned");
    for at in [SIZE as u32 - 36, SIZE as u32, u32::MAX - 3, 0, FLOOR - 4, HEAD + 2] {
        refused(Status::InvalidParams, &outside(at), |call| call.head_offset = at);
    }
    refused(Status::InvalidParams, "the descriptor and the tensor table disagree", |call| {
        call.write();
        call.consistent = false;
        call.head.input_b_size -= 4;
    });
}

#[test]
fn damaged_params_blocks_are_refused() {
    let outside = |size: u32, at: u32| {
        format!("the params block ({size} bytes at {at}) lies outside the usable memory or is misaligned")
    };
    for at in [SIZE as u32 - 16, SIZE as u32, 0, FLOOR - 16, PARAMS + 4, u32::MAX - 15] {
        refused(Status::InvalidParams, &outside(309, at), |call| call.head.params_offset = at);
    }
    for size in [u32::MAX, SIZE as u32] {
        refused(Status::InvalidParams, &outside(size, PARAMS), |call| {
            call.write();
            call.consistent = false;
            call.head.params_size = size;
        });
    }
    for size in [0, 15, 16, 16 + 48 * 6 - 1, 16 + 48 * 6 + 4] {
        refused(Status::InvalidParams, "the params block is truncated or misaligned", |call| {
            call.write();
            call.consistent = false;
            call.head.params_size = size;
        });
    }
}

#[test]
fn damaged_params_headers_are_refused() {
    for (field, value, message) in [
        (0, 2, "the params block has version 2, not 1"),
        (4, 17, "the params block announces 17 tensors (limit 16)"),
        (4, u32::MAX, "the params block announces 4294967295 tensors (limit 16)"),
        (8, 308, "the params block's scalars start at 308, not after its tensor table"),
        (12, 6, "the params block is truncated or misaligned"),
        (12, u32::MAX, "the params block is truncated or misaligned"),
    ] {
        let mut call = Call::valid().written();
        call.put(PARAMS + field, &u32::to_le_bytes(value));
        assert_eq!(call.refusal(), (Status::InvalidParams, message.to_owned()));
    }
    refused(Status::InvalidParams, "the tensor table has 5 rows, the kernel has 6 tensors", |call| {
        call.entries.pop();
    });
}

#[test]
fn rows_that_are_not_the_declared_ones_are_refused() {
    let row = |offset, dtype, role, dims: &'static [usize]| {
        move |index: usize| move |call: &mut Call| call.entries[index] = entry(offset, dtype, role, dims)
    };
    refused(
        Status::InvalidInput,
        "input \"x\" is f32, the table says i32",
        row(1024, DType::I32, Role::In, &[2, 64])(X),
    );
    refused(
        Status::InvalidOutput,
        "output \"y\" is f32, the table says u32",
        row(2048, DType::U32, Role::Out, &[2, 64])(Y),
    );
    for (index, offset, dims) in [(X, 1024, &[2usize, 64][..]), (STATE, 1872, &[64]), (Y, 2048, &[2, 64])] {
        for role in Role::ALL {
            let TensorSpec { dtype, role: declared, .. } = SIGNATURE.tensors[index];
            if role == declared {
                continue;
            }
            let (status, said) =
                Call::with(|call| call.entries[index] = entry(offset, dtype, role, dims)).written().refusal();
            assert!(matches!(status, Status::InvalidInput | Status::InvalidOutput), "{role:?}: {status}");
            assert!(said.contains("the table says"), "{said}");
        }
    }
    for (index, status, message) in [
        (X, Status::InvalidInput, "input \"x\" is missing"),
        (STATE, Status::InvalidOutput, "in-out tensor \"state\" is missing"),
        (Y, Status::InvalidOutput, "output \"y\" is missing"),
        (TMP, Status::InvalidParams, "scratch tensor \"tmp\" is missing"),
    ] {
        let TensorSpec { dtype, role, .. } = SIGNATURE.tensors[index];
        refused(status, message, |call| call.entries[index] = TensorEntry::absent(dtype, role));
    }
}

#[test]
fn shapes_that_disagree_are_refused() {
    refused(Status::InvalidOutput, "output \"y\" needs dim = 64 along axis 1, not 32", |call| {
        call.entries[Y] = entry(2048, DType::F32, Role::Out, &[2, 32])
    });
    refused(Status::InvalidInput, "input \"x\" needs 2 axes (rows, dim), not 1", |call| {
        call.entries[X] = entry(1024, DType::F32, Role::In, &[128])
    });
    refused(Status::InvalidInput, "input \"blocks\" needs dim/32 = 2 along axis 0, not 1", |call| {
        call.entries[BLOCKS] = entry(1792, DType::Q8_0, Role::In, &[1])
    });
    refused(Status::InvalidParams, "scratch tensor \"tmp\" needs 6 elements, the table gives 5", |call| {
        call.entries[TMP] = entry(2560, DType::F32, Role::Scratch, &[5])
    });
}

#[test]
fn rows_that_contradict_themselves_are_refused() {
    let malformed = "row 4 of the tensor table contradicts itself";
    type Damage = fn(&mut TensorEntry);
    let damages: [Damage; 9] = [
        |row| row.size += 4,
        |row| row.size = 0,
        |row| row.dtype = 9,
        |row| row.role = 0,
        |row| row.rank = 9,
        |row| row.reserved = 1,
        |row| row.reserved_end = 1,
        |row| row.dims[5] = 1,
        |row| row.offset = 0,
    ];
    for damage in damages {
        refused(Status::InvalidParams, malformed, |call| damage(&mut call.entries[Y]));
    }
    // 2^16 · 2^16 elements overflow 32 bits; as 2^32 · 4 bytes the size would wrap to 0.
    refused(Status::InvalidParams, malformed, |call| {
        let row = &mut call.entries[Y];
        (row.dims[0], row.dims[1], row.size) = (1 << 16, 1 << 16, 0);
    });
}

#[test]
fn misplaced_tensors_are_refused() {
    let place = |index: usize, offset: u32| move |call: &mut Call| call.entries[index].offset = offset;
    for (index, offset, message) in [
        (X, SIZE as u32 - 496, "tensor 0 (512 bytes at 7696) lies outside the usable memory from 512 to 8192"),
        (X, u32::MAX - 15, "tensor 0 (512 bytes at 4294967280) lies outside the usable memory from 512 to 8192"),
        (X, 256, "tensor 0 (512 bytes at 256) lies outside the usable memory from 512 to 8192"),
        (Y, 496, "tensor 4 (512 bytes at 496) lies outside the usable memory from 512 to 8192"),
        (X, 1028, "tensor 0 at 1028 is not 16-byte aligned"),
        (Y, 2056, "tensor 4 at 2056 is not 16-byte aligned"),
        (Y, 1040, "tensor 0 and tensor 4 overlap"),
        (Y, 1792, "tensor 2 and tensor 4 overlap"),
        (TMP, 2544, "tensor 4 and tensor 5 overlap"),
        (STATE, 1776, "tensor 1 and tensor 3 overlap"),
        (TMP, HEAD + 16, "the descriptor and tensor 5 overlap"),
        (TMP, PARAMS + 288, "the params block and tensor 5 overlap"),
        (Y, PARAMS + 304, "the params block and tensor 4 overlap"),
    ] {
        refused(Status::InvalidParams, message, place(index, offset));
    }
}

#[test]
fn arrays_of_descriptors_are_held_to_the_bounds() {
    let memory = |floor, memory_size| LinearMemory { base: 0, bounds: Bounds { floor, memory_size } };
    let (plain, most) = (memory(FLOOR, 4096), memory(0, 1 << 32));
    for (descriptors, count, held) in [
        (FLOOR, 0, true),
        (FLOOR, 3, true),
        (4096 - 48, 1, true),
        (4096, 0, true),
        (4096 - 48, 2, false),
        (4096, 1, false),
        (FLOOR - 16, 1, false),
        (FLOOR + 8, 1, false),
        (FLOOR, u32::MAX, false),
        (u32::MAX - 15, u32::MAX, false),
    ] {
        assert_eq!(plain.holds(descriptors, count), held, "{count} at {descriptors}");
    }
    assert!(!most.holds(0, 1), "a null pointer");
    assert!(most.holds(16, i32::MAX as u32 / 40) && !most.holds(16, i32::MAX as u32 / 40 + 1), "a slice's most bytes");
}

#[test]
fn inputs_may_share_memory() {
    Call::with(|call| call.entries[BIAS].offset = 1024).written().open(|frame, _| {
        let frame = frame.unwrap();
        let (x, bias) = (frame.input::<f32>(X).unwrap(), frame.input::<f32>(BIAS).unwrap());
        assert_eq!(x.as_ptr(), bias.as_ptr());
    });
}

#[test]
fn damaged_scalars_are_refused() {
    Call::with(|call| call.scalars[4] = 2).written().open(|frame, _| {
        let error = Error::from(frame.unwrap().scalars().bool(4).unwrap_err());
        assert_eq!(
            (error.status(), error.message()),
            (Status::InvalidParams, "a bool in the params block is 2, not 0 or 1",)
        );
    });
    Call::with(|call| call.scalars.truncate(3)).written().open(|frame, _| {
        let scalars = frame.unwrap().scalars();
        for error in [scalars.f32(0).unwrap_err(), scalars.bool(4).unwrap_err(), scalars.i32(usize::MAX).unwrap_err()] {
            let error = Error::from(error);
            assert_eq!(error.status(), Status::InvalidParams);
            assert_eq!(error.message(), "the params block has 3 bytes of scalars, too few");
        }
    });
}

/// Returns the range of offsets of a slice.
fn range<T>(memory: &LinearMemory, slice: &[T]) -> Range<usize> {
    let start = slice.as_ptr().addr() - memory.base;
    start..start + size_of_val(slice)
}

/// Takes every tensor, touches every byte of it, and checks the guarantees about it.
fn take_everything(mut frame: Frame<'_, Tested>, memory: &LinearMemory) {
    fn input<T: Element>(frame: &Frame<'_, Tested>, memory: &LinearMemory, row: usize) -> Option<Range<usize>> {
        let slice = frame.optional_input::<T>(row).unwrap()?;
        std::hint::black_box(slice.as_bytes().iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte)));
        Some(range(memory, slice))
    }
    fn output<T: Element>(frame: &mut Frame<'_, Tested>, memory: &LinearMemory, row: usize) -> Range<usize> {
        let slice = frame.take_mut::<T>(row).unwrap();
        slice.as_mut_bytes().fill(0xA5);
        range(memory, slice)
    }
    let read = [
        input::<f32>(&frame, memory, X),
        input::<f32>(&frame, memory, BIAS),
        input::<BlockQ8_0>(&frame, memory, BLOCKS),
    ];
    let written = [
        output::<i8>(&mut frame, memory, STATE),
        output::<f32>(&mut frame, memory, Y),
        output::<f32>(&mut frame, memory, TMP),
    ];
    let (rows, dim) = (frame.extent(0), frame.extent(1));
    assert_eq!(written.each_ref().map(Range::len), [dim, rows * dim * 4, rows * 3 * 4]);
    assert_eq!(read[X].as_ref().map(Range::len), Some(rows * dim * 4));
    let all: Vec<&Range<usize>> = read.iter().flatten().chain(&written).collect();
    for range in &all {
        assert!(range.start >= FLOOR as usize && range.end <= SIZE && range.start % 16 == 0, "{range:?}");
    }
    for (index, mine) in written.iter().enumerate() {
        let others = read.iter().flatten().chain(&written[..index]);
        for other in others {
            assert!(mine.is_empty() || other.is_empty() || mine.end <= other.start || other.end <= mine.start);
        }
    }
    let _ = frame.scalars().f32(0).and_then(|_| frame.scalars().bool(4));
}

/// Generates numbers near the limits of the checks.
fn nasty() -> impl Strategy<Value = u32> {
    prop_oneof![
        (0u32..600).prop_map(|n| n * 16),
        0u32..64,
        any::<u32>(),
        (0u32..64).prop_map(|n| u32::MAX - n),
        Just(SIZE as u32),
        Just(FLOOR),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 20 } else { 4096 }, ..ProptestConfig::default() })]

    /// Replaces words and bytes of a valid call's descriptor, header and table.
    #[test]
    fn a_mutated_call_is_refused_or_sound(
        words in prop::collection::vec((0u32..95, nasty()), 0..4),
        bytes in prop::collection::vec((0u32..380, any::<u8>()), 0..3),
    ) {
        let mut call = Call::valid().written();
        for (word, value) in words {
            call.put(HEAD + word * 4, &value.to_le_bytes());
        }
        for (at, value) in bytes {
            call.put(HEAD + at, &[value]);
        }
        call.open(|frame, memory| frame.map_or((), |frame| take_everything(frame, memory)));
    }

    /// Uses well-formed rows with arbitrary offsets and extents, and a descriptor that agrees with them.
    #[test]
    fn a_rearranged_call_is_refused_or_sound(
        rows in 0usize..4,
        dim in 0usize..4,
        moves in prop::collection::vec((0usize..6, nasty()), 0..4),
        memory_size in 0u64..=SIZE as u64,
        extents in prop::option::of((0usize..6, 0usize..9)),
    ) {
        let dim = dim * 32;
        let mut call = Call::with(|call| {
            let dims: [&[usize]; 6] = [&[rows, dim], &[dim], &[dim / 32], &[dim], &[rows, dim], &[3 * rows]];
            for ((row, tensor), dims) in call.entries.iter_mut().zip(SIGNATURE.tensors).zip(dims) {
                *row = entry(row.offset + 1024 * u32::from(tensor.role != Role::In), tensor.dtype, tensor.role, dims);
            }
            call.entries[TMP].offset = 4096;
            for (index, offset) in moves {
                call.entries[index].offset = offset;
            }
            if let Some((index, extent)) = extents {
                let TensorSpec { dtype, role, .. } = SIGNATURE.tensors[index];
                call.entries[index] = entry(call.entries[index].offset, dtype, role, &[extent]);
            }
            call.bounds.memory_size = memory_size;
        }).written();
        // Only calls with empty tensors may be refused by the quick check and accepted by the complete one.
        if let Some((quick, true)) = call.verdicts() {
            prop_assert_eq!(quick, call.entries.iter().all(|row| row.is_absent() || row.size != 0));
        }
        // If a call of the same form is remembered, the result depends only on the offsets.
        if let Some(memo) = call.memo_of_form() {
            prop_assert_eq!(call.is_alike(&memo), call.verdicts().is_some_and(|(quick, _)| quick));
        }
        call.open(|frame, memory| frame.map_or((), |frame| take_everything(frame, memory)));
    }

    /// Uses random bytes.
    #[test]
    fn noise_is_refused_or_sound(noise in prop::collection::vec(any::<u8>(), 512), at in nasty()) {
        let mut call = Call::valid();
        call.put(HEAD, &noise);
        call.head_offset = at;
        call.open(|frame, memory| frame.map_or((), |frame| take_everything(frame, memory)));
    }
}
