//! The code of a vector: the signs of its rotated residual, and the numbers that make an estimate of them.

/// How many sums run side by side; the order of summation is the same on every machine.
const LANES: usize = 16;

/// What is known of a vector beside the signs of its residual `r` from a centre `c`, rotated.
///
/// With the sum `s` of the query's rotated places, each with the sign of the residual there, the product of query and vector is
/// estimated by `query·c + offset + slope · s`. The estimate is unbiased, and its error has a deviation of `error` times the distance
/// from the query to the centre (Gao, Long: `RaBitQ`, SIGMOD 2024, section 3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Factors {
    pub(crate) offset: f32,
    pub(crate) slope: f32,
    pub(crate) error: f32,
}

/// The factors of a vector, from the rotated vector and the rotated centre; the residual is written to `residual`.
pub(crate) fn encode(vector: &[f32], centre: &[f32], residual: &mut [f32]) -> Factors {
    let (mut squares, mut sizes, mut inner, mut signed) =
        ([0.0_f32; LANES], [0.0_f32; LANES], [0.0_f32; LANES], [0.0_f32; LANES]);
    let (vectors, centres) = (vector.as_chunks::<LANES>().0, centre.as_chunks::<LANES>().0);
    for ((vector, centre), residual) in vectors.iter().zip(centres).zip(residual.as_chunks_mut::<LANES>().0) {
        for lane in 0..LANES {
            let r = vector[lane] - centre[lane];
            residual[lane] = r;
            squares[lane] += r * r;
            sizes[lane] += r.abs();
            inner[lane] += r * centre[lane];
            signed[lane] += if r >= 0.0 { centre[lane] } else { -centre[lane] };
        }
    }
    let [squares, sizes, inner, signed] = [squares, sizes, inner, signed].map(|lanes| lanes.iter().sum::<f32>());
    if sizes <= 0.0 || squares <= 0.0 {
        // The vector is its centre, and the estimate is exact.
        return Factors::default();
    }
    let bits = vector.len() as f32;
    let slope = squares / sizes;
    // The cosine between the residual and its signs.
    let cosine = (sizes / (bits * squares).sqrt()).min(1.0);
    let error = squares.sqrt() * (1.0 - cosine * cosine).sqrt() / cosine / (bits - 1.0).sqrt();
    Factors { offset: inner - slope * signed, slope, error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_in_its_centre_is_exact() {
        let place = vec![0.25; 64];
        assert_eq!(encode(&place, &place, &mut [0.0; 64]), Factors::default());
    }

    #[test]
    fn a_residual_of_equal_sizes_is_exact() {
        let vector: Vec<f32> = (0..64).map(|place| if place % 3 == 0 { 0.5 } else { -0.5 }).collect();
        let query: Vec<f32> = (0..64).map(|place| (place as f32).sin()).collect();
        let factors = encode(&vector, &[0.0; 64], &mut [0.0; 64]);
        let signed: f32 = vector.iter().zip(&query).map(|(x, y)| x.signum() * y).sum();
        let product: f32 = vector.iter().zip(&query).map(|(x, y)| x * y).sum();
        assert!((factors.offset + factors.slope * signed - product).abs() < 1e-4);
        assert!(factors.error < 1e-3);
    }
}
