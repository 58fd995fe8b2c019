"""Fixed teachers of sound: published networks in a TFLite file that the user brings.

The zoo ships none of them, and works without one. `open_teacher(file)` runs the file with LiteRT
behind the zoo's own resampling; `weights_of(file)` reads its weights, and `build_yamnet` makes a
Keras model of them, which computes whole batches on any backend.
"""

from zoo.teachers.runtime import Teacher, TeacherOutput, open_teacher
from zoo.teachers.yamnet import EMBEDDING, SCORES, build_yamnet, load_yamnet, weights_of

__all__ = [
    "EMBEDDING",
    "SCORES",
    "Teacher",
    "TeacherOutput",
    "build_yamnet",
    "load_yamnet",
    "open_teacher",
    "weights_of",
]
