//! arrow-udf: record batches in and out of a user-defined function; a row is an array of floats in one cell.

use std::sync::Arc;

use arrow_array::{Array, Float32Array, ListArray, RecordBatch, cast::AsArray, types::Float32Type};
use arrow_schema::{DataType, Field, Schema};
use arrow_udf_runtime::wasm::{FunctionHandle, Runtime};

use crate::{
    peer::{Failure, Peer, Side},
    row::Row,
};

pub(crate) struct Arrow {
    runtime: Runtime,
    rmsnorm: FunctionHandle,
    input: RecordBatch,
}

/// Returns the type of a list of floats.
fn list() -> DataType {
    DataType::List(Arc::new(Field::new("item", DataType::Float32, true)))
}

/// Returns a column with one cell, which holds these floats.
fn cell(floats: &[f32]) -> Arc<dyn Array> {
    Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>([Some(floats.iter().copied().map(Some))]))
}

impl Arrow {
    pub(crate) fn new(wasm: &[u8], row: &Row) -> Result<Self, Failure> {
        let runtime = Runtime::new(wasm)?;
        let rmsnorm = runtime.find_function("rmsnorm", vec![list(), list(), DataType::Float32], list())?;
        let fields = [("x", list()), ("weight", list()), ("eps", DataType::Float32)];
        let schema = Schema::new(fields.map(|(name, of)| Field::new(name, of, true)).to_vec());
        let columns = vec![cell(&row.x), cell(&row.weight), Arc::new(Float32Array::from(vec![row.eps]))];
        Ok(Self { input: RecordBatch::try_new(Arc::new(schema), columns)?, rmsnorm, runtime })
    }
}

/// The cell with the result.
struct Cell(Arc<dyn Array>);

impl AsRef<[f32]> for Cell {
    fn as_ref(&self) -> &[f32] {
        self.0.as_primitive::<Float32Type>().values()
    }
}

impl Peer for Arrow {
    const NAME: &'static str = "arrow-udf, float32[]";
    const SIDE: Side = Side::Peer;

    fn call(&mut self) -> Result<impl AsRef<[f32]>, Failure> {
        let output = self.runtime.call(&self.rmsnorm, &self.input)?;
        Ok(Cell(output.column(0).as_list::<i32>().value(0)))
    }
}
