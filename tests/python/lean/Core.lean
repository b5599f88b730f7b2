prelude
set_option autoImplicit false
set_option genCtorIdx false
set_option linter.unusedVariables false
universe u v w
unsafe axiom lcProof {α : Prop} : α
unsafe axiom lcAny : Type
unsafe axiom lcErased : Type
unsafe axiom lcVoid : Type
set_option bootstrap.inductiveCheckResultingUniverse false in
inductive PUnit : Sort u where
  | unit : PUnit
abbrev Unit : Type := PUnit
inductive True : Prop where | intro : True
inductive False : Prop
inductive Eq {α : Sort u} : α → α → Prop where
  | refl (a : α) : Eq a a
abbrev Eq.ndrec.{u1, u2} {α : Sort u2} {a : α} {motive : α → Sort u1} (m : motive a) {b : α} (h : Eq a b) : motive b :=
  h.rec m
inductive HEq {α : Sort u} : α → {β : Sort u} → β → Prop where
  | refl (a : α) : HEq a a
def cast {α β : Sort u} (h : Eq α β) (a : α) : β := h.rec a
theorem eq_of_heq {α : Sort u} {a b : α} (h : HEq a b) : Eq a b :=
  @HEq.rec α a (fun {β} b _ => (e : Eq α β) → Eq (cast e a) b) (fun (e : Eq α α) => Eq.refl a) α b h (Eq.refl α)
theorem heq_of_eq {α : Sort u} {a b : α} (h : Eq a b) : HEq a b := h.rec (HEq.refl a)
def id {α : Sort u} (a : α) : α := a
structure And (a b : Prop) : Prop where
  intro ::
  left : a
  right : b
inductive Or (a b : Prop) : Prop where
  | inl (h : a) : Or a b
  | inr (h : b) : Or a b
def Not (a : Prop) : Prop := a → False
structure PProd (α : Sort u) (β : Sort v) where
  fst : α
  snd : β
inductive Bool : Type where | false : Bool | true : Bool
inductive Nat where | zero : Nat | succ (n : Nat) : Nat
inductive List (α : Type u) where
  | nil : List α
  | cons (head : α) (tail : List α) : List α
class inductive Decidable (p : Prop) where
  | isFalse (h : Not p) : Decidable p
  | isTrue (h : p) : Decidable p
def Decidable.decide (p : Prop) [h : Decidable p] : Bool := h.casesOn (fun _ => Bool.false) (fun _ => Bool.true)
theorem of_decide_eq_true {p : Prop} [h : Decidable p] (e : Eq (Decidable.decide p) Bool.true) : p :=
  h.rec (motive := fun d => Eq (@Decidable.decide p d) Bool.true → p)
    (fun _ (e : Eq Bool.false Bool.true) =>
      @Eq.rec Bool Bool.false (fun b _ => @Bool.rec (fun _ => Prop) True p b) True.intro Bool.true e)
    (fun h _ => h) e
instance : Decidable True := .isTrue .intro
instance : Decidable False := .isFalse id
class OfNat (α : Type u) (_ : Nat) where
  ofNat : α
instance (n : Nat) : OfNat Nat n := ⟨n⟩
structure Char where
  val : Nat
structure String where
  data : List Char
inductive Lean.Name where
  | anonymous : Lean.Name
  | str (pre : Lean.Name) (str : String)
  | num (pre : Lean.Name) (i : Nat)
axiom propext {a b : Prop} : (a → b) → (b → a) → Eq a b
@[never_extract]
axiom sorryAx (α : Sort u) (synthetic : Bool) : α
