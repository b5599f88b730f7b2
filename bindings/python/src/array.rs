//! Arrays of numbers from Python, read where they lie. The one file that knows how numpy hands them over.

use std::slice;

use pyo3::Borrowed;
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

/// A contiguous array of `f32`, of any shape, held for as long as this lives.
pub struct Floats(PyBuffer<f32>);

impl Floats {
    /// The numbers, the last index running fastest.
    pub fn as_slice(&self) -> &[f32] {
        let count = self.0.item_count();
        if count == 0 {
            return &[];
        }
        // SAFETY: the buffer was checked to be C-contiguous `f32`s, aligned for their type (`PyBuffer::get` refuses others), and it
        // is not released before `self` is dropped, so `count` of them can be read. Nobody may write to the array while a call
        // reads it: that is asked of callers in the documentation, as numpy asks it of its own.
        unsafe { slice::from_raw_parts(self.0.buf_ptr().cast::<f32>(), count) }
    }
}

impl<'py> FromPyObject<'_, 'py> for Floats {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let buffer = PyBuffer::get(&object)?;
        if buffer.is_c_contiguous() {
            Ok(Self(buffer))
        } else {
            Err(PyTypeError::new_err("the array is not C-contiguous"))
        }
    }
}
