-- Computes something that does not end in the time of the universe, and sets no limit.
-- as: text
-- verdict: timeout
set_option maxHeartbeats 0
set_option maxRecDepth 1000000
noncomputable def add (m n : Nat) : Nat := n.rec m (fun _ r => r.succ)
noncomputable def mul (m n : Nat) : Nat := n.rec .zero (fun _ r => add r m)
noncomputable def pow (m n : Nat) : Nat := n.rec (Nat.succ .zero) (fun _ r => mul r m)
noncomputable def big : Nat := pow 10 (pow 10 10)
theorem goal : Eq (add big 1) (add 1 big) := by exact Eq.refl _
