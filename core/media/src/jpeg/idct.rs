//! From the lowest frequencies of a block to a block of fewer samples.
//!
//! For N samples an edge, value(x) = Σ b(u) · F(u) · cos((2x+1)uπ/2N) with b(0) = √⅛ and b(u) = ½:
//! the transform of T.81 A.3.3 with its cosines stretched over N samples, which is what `libjpeg` does as well.

/// b(0), which is also b(u) · cos(π/4), in 12-bit fixed point.
const EVEN: i32 = 1448;

/// b(u) · cos(π/8) and b(u) · cos(3π/8).
const ODD: [i32; 2] = [1892, 784];

/// Writes a block of `scale` by `scale` samples (1, 2 or 4).
///
/// `coefficients` has four to a row and each within ±4,096.
pub(super) fn write(coefficients: &[i32; 16], scale: usize, samples: &mut [u8], stride: usize) {
    match scale {
        1 => samples[0] = sample((coefficients[0] * 512) >> 3),
        2 => transform(two, coefficients, samples, stride),
        _ => transform(four, coefficients, samples, stride),
    }
}

fn transform<const N: usize>(
    line_of: impl Fn([i32; N]) -> [i32; N],
    coefficients: &[i32; 16],
    samples: &mut [u8],
    stride: usize,
) {
    let mut rows = [[0; N]; N];
    for x in 0..N {
        let column = line_of(std::array::from_fn(|v| coefficients[v * 4 + x]));
        for (row, value) in rows.iter_mut().zip(column) {
            // Three bits stay behind the point: 4 · 2¹² · 2¹¹ / 2⁹ = 2¹⁶, and 4 · 2¹⁶ · 2¹¹ < 2³¹.
            row[x] = value >> 9;
        }
    }
    for (row, line) in rows.into_iter().zip(samples.chunks_mut(stride)) {
        for (slot, value) in line.iter_mut().zip(line_of(row)) {
            *slot = sample(value >> 6);
        }
    }
}

fn two([a, b]: [i32; 2]) -> [i32; 2] {
    [EVEN * (a + b), EVEN * (a - b)]
}

/// The halves of a line mirror each other but for the sign of its odd part.
fn four([a, b, c, d]: [i32; 4]) -> [i32; 4] {
    let (outer, inner) = (EVEN * (a + c), EVEN * (a - c));
    let (odd_outer, odd_inner) = (ODD[0] * b + ODD[1] * d, ODD[1] * b - ODD[0] * d);
    [outer + odd_outer, inner + odd_inner, inner - odd_inner, outer - odd_outer]
}

/// From 9-bit fixed point around 0 to a sample around 128.
fn sample(value: i32) -> u8 {
    (((value + 256) >> 9) + 128).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_fills_the_block_at_every_scale() {
        for (mean, expected) in [(0, 128), (8 * 100, 228), (-8 * 100, 28), (4096, 255), (-4096, 0)] {
            let mut coefficients = [0; 16];
            coefficients[0] = mean;
            for scale in [1, 2, 4] {
                let mut samples = [7; 16];
                write(&coefficients, scale, &mut samples, scale);
                for sample in &samples[..scale * scale] {
                    assert!(sample.abs_diff(expected) <= 1, "{sample} for {expected}");
                }
            }
        }
    }

    #[test]
    fn the_largest_coefficients_do_not_overflow() {
        for value in [4096, -4096] {
            for scale in [1, 2, 4] {
                write(&[value; 16], scale, &mut [0; 16], scale);
            }
        }
    }
}
